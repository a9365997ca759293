import type { Node, PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import { notFound } from "#apimachinery/api-errors/errors.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { AdmissionAttributes } from "#apiserver/admission/admission.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import { podReferences } from "../../../authorization/pod-references.ts";
import { isMirrorPod } from "../service-account/mirror-pod.ts";

/** Why a node may not do this to a pod; undefined when it may. Throws 404 for what is not there. */
export function refusalOfPodWrite(node: string, attributes: AdmissionAttributes, stores: Stores): string | undefined {
  const { operation, subresource, name, namespace, object, oldObject } = attributes;
  switch (subresource) {
    case "":
      if (operation === "CREATE") return refusalOfMirrorPod(node, object as unknown as Pod, stores);
      if (operation !== "DELETE") {
        return `unexpected operation ${goQuote(operation)}, node ${goQuote(node)} can only create and delete mirror pods`;
      }
      if (isOn(node, findPod(stores, namespace, name))) return undefined;
      return `node ${goQuote(node)} can only delete pods with spec.nodeName set to itself`;
    case "status":
      if (operation !== "UPDATE") return `unexpected operation ${goQuote(operation)}`;
      return refusalOfPodStatus(node, object as unknown as Pod, oldObject as unknown as Pod);
    case "eviction":
      if (operation !== "CREATE") return `unexpected operation ${operation}`;
      if (isOn(node, findPod(stores, namespace, name || object?.metadata.name || ""))) return undefined;
      return `node ${node} can only evict pods with spec.nodeName set to itself`;
    default:
      return `unexpected pod subresource ${goQuote(subresource)}, only 'status' and 'eviction' are allowed`;
  }
}

/** The pod, or 404. */
export function findPod(stores: Stores, namespace: string, name: string): Pod {
  const pod = stores.of<Pod>("", "pods").cached(namespace, name);
  if (pod === undefined) throw notFound({ group: "", resource: "pods" }, name);
  return pod;
}

/** Why a node may not write this status of a claim: sizes are its business, and nothing else. */
export function refusalOfClaimStatus(node: string, { operation, object, oldObject }: AdmissionAttributes): string | undefined {
  if (operation !== "UPDATE") return `unexpected operation ${goQuote(operation)}`;
  if (
    semanticEqual(
      withoutSizes(object as unknown as PersistentVolumeClaim),
      withoutSizes(oldObject as unknown as PersistentVolumeClaim),
    )
  ) {
    return undefined;
  }
  return `node ${goQuote(node)} is not allowed to update fields other than status.capacity and status.conditions`;
}

function isOn(node: string, { spec }: Pod): boolean {
  return spec?.nodeName === node;
}

/** A node shows what it runs by itself, as its own, and refers to nothing in the API by that. */
function refusalOfMirrorPod(node: string, pod: Pod, stores: Stores): string | undefined {
  const quoted = goQuote(node);
  if (!isMirrorPod(pod)) {
    return `pod does not have "kubernetes.io/config.mirror" annotation, node ${quoted} can only create mirror pods`;
  }
  if (!isOn(node, pod)) return `node ${quoted} can only create pods with spec.nodeName set to itself`;
  const fault = refusalOfOwner(node, pod, stores);
  if (fault !== undefined) return fault;
  if (pod.spec?.serviceAccountName) return `node ${quoted} can not create pods that reference a service account`;
  const references = podReferences(pod);
  const volumes = pod.spec?.volumes ?? [];
  const sources = volumes.flatMap(({ projected }) => projected?.sources ?? []);
  const referred = [
    references.secrets.length > 0 && "secrets",
    references.configmaps.length > 0 && "configmaps",
    sources.some(({ clusterTrustBundle }) => clusterTrustBundle !== undefined) && "clustertrustbundles",
    sources.some(({ podCertificate }) => podCertificate !== undefined) && "podcertificates",
    volumes.some(({ persistentVolumeClaim }) => persistentVolumeClaim !== undefined) && "persistentvolumeclaims",
    // A way to devices that nobody gave it (CVE-2025-4563).
    (pod.spec?.resourceClaims ?? []).length > 0 && "resourceclaims",
  ].find(Boolean);
  return referred ? `node ${quoted} can not create pods that reference ${referred}` : undefined;
}

function refusalOfOwner(node: string, { metadata }: Pod, stores: Stores): string | undefined {
  const quoted = goQuote(node);
  const [owner, ...more] = metadata?.ownerReferences ?? [];
  if (more.length > 0) return `node ${quoted} can only create pods with a single owner reference set to itself`;
  if (owner?.apiVersion !== "v1" || owner.kind !== "Node" || owner.name !== node) {
    return `node ${quoted} can only create pods with an owner reference set to itself`;
  }
  if (!owner.controller) return `node ${quoted} can only create pods with a controller owner reference set to itself`;
  if (owner.blockOwnerDeletion) return `node ${quoted} must not set blockOwnerDeletion on an owner reference`;
  const found = stores.of<Node>("", "nodes").cached("", node);
  if (found === undefined) throw notFound({ group: "", resource: "nodes" }, node);
  const uid = found.metadata?.uid ?? "";
  return owner.uid === uid ? undefined : `node ${node} UID mismatch: expected ${owner.uid} got ${uid}`;
}

function refusalOfPodStatus(node: string, pod: Pod, old: Pod): string | undefined {
  const quoted = goQuote(node);
  if (!isOn(node, old)) return `node ${quoted} can only update pod status for pods with spec.nodeName set to itself`;
  if (!semanticEqual(pod.metadata?.labels ?? {}, old.metadata?.labels ?? {})) {
    return `node ${quoted} cannot update labels through pod status`;
  }
  const claims = ({ status }: Pod): unknown[] => [
    status?.resourceClaimStatuses ?? [],
    status?.extendedResourceClaimStatus ?? null,
  ];
  return semanticEqual(claims(pod), claims(old)) ? undefined : `node ${quoted} cannot update resource claim statues`;
}

function withoutSizes({ metadata, status, ...rest }: PersistentVolumeClaim): object {
  const { resourceVersion: _version, managedFields: _managers, ...meta } = metadata ?? {};
  const {
    capacity: _capacity,
    conditions: _conditions,
    allocatedResources: _amounts,
    allocatedResourceStatuses: _states,
    ...other
  } = status ?? {};
  return { ...rest, metadata: meta, status: other };
}
