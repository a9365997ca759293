import type { CertificateSigningRequest } from "#api/generated/certificates/v1.ts";
import type { Node } from "#api/generated/core/v1.ts";
import type { ResourceSlice } from "#api/generated/resource/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import { type AdmissionAttributes, type AdmissionPluginFactory, admissionForbidden } from "#apiserver/admission/admission.ts";
import type { Authorizer } from "#apiserver/authorization/authorizer.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import { parseCertificateRequest } from "#component-helpers/certificates/certificate-request.ts";
import { nodeNameOf } from "../../../authorization/node-authorizer.ts";
import { refusalOfPodCertificate } from "./node-certificates.ts";
import { forbiddenLabelChanges } from "./node-labels.ts";
import { refusalOfClaimStatus, refusalOfPodWrite } from "./node-pods.ts";
import { refusalOfToken } from "./node-tokens.ts";

const LEASE_NAMESPACE = "kube-node-lease";
const NODE_SIGNERS = ["kubernetes.io/kubelet-serving", "kubernetes.io/kube-apiserver-client-kubelet"];
const AUDIENCE_VERB = "request-serviceaccounts-token-audience";

type Refusal = string | undefined;

/** A node writes what is its own: itself, the status of its pods, tokens for them. What it reads is the Node authorizer's matter. */
export function nodeRestriction(authorizer: Authorizer): AdmissionPluginFactory {
  return ({ stores }) => ({
    name: "NodeRestriction",
    mutate: (attributes) => {
      const node = nodeNameOf(attributes.context.user);
      if (node === undefined || attributes.operation === "CONNECT") return;
      const refusal = node === "" ? unknownNode(attributes) : refusalOf(node, attributes, stores, authorizer);
      if (refusal instanceof Promise) return refusal.then((text) => refuse(attributes, text));
      refuse(attributes, refusal);
    },
  });
}

function refuse(attributes: AdmissionAttributes, reason: Refusal): void {
  if (reason !== undefined) throw admissionForbidden(attributes, reason);
}

function unknownNode({ context }: AdmissionAttributes): string {
  return `could not determine node from user ${goQuote(context.user.name)}`;
}

function refusalOf(
  node: string,
  attributes: AdmissionAttributes,
  stores: Stores,
  authorizer: Authorizer,
): Refusal | Promise<Refusal> {
  const { group, resource, subresource, operation } = attributes;
  switch (`${group}/${resource}`) {
    case "/pods":
      return refusalOfPodWrite(node, attributes, stores);
    case "/nodes":
      return refusalOfNode(node, attributes);
    case "/persistentvolumeclaims":
      return subresource === "status" ? refusalOfClaimStatus(node, attributes) : "may only update PVC status";
    case "/serviceaccounts":
      if (operation !== "CREATE" || subresource !== "token") return undefined;
      return refusalOfToken(node, attributes, stores, (audience) => mayAskFor(audience, attributes, authorizer));
    case "coordination.k8s.io/leases":
      if (attributes.namespace !== LEASE_NAMESPACE)
        return `can only access leases in the ${goQuote(LEASE_NAMESPACE)} system namespace`;
      return isNamed(node, attributes) ? undefined : "can only access node lease with the same name as the requesting node";
    case "storage.k8s.io/csinodes":
      return isNamed(node, attributes) ? undefined : "can only access CSINode with the same name as the requesting node";
    case "resource.k8s.io/resourceslices": {
      if (operation !== "CREATE" || (attributes.object as unknown as ResourceSlice).spec?.nodeName === node) return undefined;
      return "can only create ResourceSlice with the same NodeName as the requesting node";
    }
    case "certificates.k8s.io/certificatesigningrequests":
      return refusalOfRequest(node, attributes);
    case "certificates.k8s.io/podcertificaterequests":
      return refusalOfPodCertificate(node, attributes, stores);
    default:
      return undefined;
  }
}

function isNamed(node: string, { operation, name, object }: AdmissionAttributes): boolean {
  return node === (operation === "CREATE" ? object?.metadata.name : name);
}

function refusalOfNode(node: string, { operation, name, object, oldObject }: AdmissionAttributes): Refusal {
  const quoted = goQuote(node);
  if (name !== node) return `node ${quoted} is not allowed to modify node ${goQuote(name)}`;
  const next = object as unknown as Node | undefined;
  const old = oldObject as unknown as Node | undefined;
  if (operation === "CREATE") {
    if (next?.spec?.configSource !== undefined) return `node ${quoted} is not allowed to create pods with a non-nil configSource`;
    const labels = forbiddenLabelChanges(next?.metadata?.labels);
    return labels.length > 0 ? `node ${quoted} is not allowed to set the following labels: ${labels.join(", ")}` : undefined;
  }
  if (operation !== "UPDATE") return undefined;
  if (next?.spec?.configSource !== undefined && !semanticEqual(next.spec.configSource, old?.spec?.configSource)) {
    return `node ${quoted} is not allowed to update configSource to a new non-nil configSource`;
  }
  if (!semanticEqual(next?.spec?.taints ?? [], old?.spec?.taints ?? [])) return `node ${quoted} is not allowed to modify taints`;
  // With an owner that is gone it would be removed, taints and all, and come back as it likes (CVE-2025-5187).
  if (!semanticEqual(next?.metadata?.ownerReferences ?? [], old?.metadata?.ownerReferences ?? [])) {
    return `node ${quoted} is not allowed to modify ownerReferences`;
  }
  const labels = forbiddenLabelChanges(next?.metadata?.labels, old?.metadata?.labels);
  return labels.length > 0 ? `is not allowed to modify labels: ${labels.join(", ")}` : undefined;
}

function refusalOfRequest(node: string, { operation, subresource, object }: AdmissionAttributes): Refusal {
  if (operation !== "CREATE" || subresource !== "") return undefined;
  const { spec } = object as unknown as CertificateSigningRequest;
  if (!NODE_SIGNERS.includes(spec.signerName)) return undefined;
  const request = parseCertificateRequest(Buffer.from(spec.request, "base64").toString("latin1"));
  if (request === undefined) return "unable to parse csr: PEM block type must be CERTIFICATE REQUEST";
  if (request.commonName === `system:node:${node}`) return undefined;
  return `can only create a node CSR with CN=system:node:${node}`;
}

async function mayAskFor(
  audience: string,
  { context, namespace, name }: AdmissionAttributes,
  authorizer: Authorizer,
): Promise<boolean> {
  const { decision } = await authorizer.authorize({
    user: context.user,
    verb: AUDIENCE_VERB,
    isResourceRequest: true,
    namespace,
    apiGroup: "",
    apiVersion: "v1",
    resource: audience,
    subresource: "",
    name,
    path: "",
  });
  return decision === "allow";
}
