import type { PodCertificateRequest } from "#api/generated/certificates/v1beta1.ts";
import type { Node, Pod, ServiceAccount } from "#api/generated/core/v1.ts";
import { internalError } from "#apimachinery/api-errors/errors.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { AdmissionAttributes } from "#apiserver/admission/admission.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";

const MIRROR = "kubernetes.io/config.mirror";

/**
 * Why a node may not make a request for a pod's certificate: it asks for pods that run on it alone, as what they are
 * (KEP-4317). Throws 500 where the server's own state may be behind, as upstream's informers, so that kubelets come again.
 */
export function refusalOfPodCertificate(node: string, attributes: AdmissionAttributes, stores: Stores): string | undefined {
  const { operation, subresource, namespace, object } = attributes;
  if (operation !== "CREATE") return "unexpected operation";
  if (subresource !== "") return `unexpected subresource ${subresource}`;
  const { spec } = object as unknown as PodCertificateRequest;
  const { nodeName = "", nodeUID = "", podName = "", podUID = "", serviceAccountName = "", serviceAccountUID = "" } = spec;
  if (nodeName !== node) {
    return `PodCertificateRequest.Spec.NodeName=${goQuote(nodeName)}, which is not the requesting node ${goQuote(node)}`;
  }
  const named = `PodCertificateRequest for pod ${goQuote(`${namespace}/${podName}`)}`;
  const running = stores.of<Node>("", "nodes").cached("", nodeName);
  if (running === undefined) throw missing(`node ${goQuote(nodeName)}`, `node ${goQuote(nodeName)}`);
  if (running.metadata?.uid !== nodeUID) {
    const uid = goQuote(running.metadata?.uid ?? "");
    throw internalError(`${named} names node UID ${goQuote(nodeUID)}, inconsistent with the running node (${uid})`);
  }
  const pod = stores.of<Pod>("", "pods").cached(namespace, podName);
  if (pod === undefined) throw missing(`pod ${goQuote(`${namespace}/${podName}`)}`, `pod ${goQuote(podName)}`);
  if (pod.metadata?.uid !== podUID) {
    const uid = goQuote(pod.metadata?.uid ?? "");
    throw internalError(`${named} contains pod UID (${goQuote(podUID)}) which differs from running pod ${uid}`);
  }
  if (pod.spec?.nodeName !== nodeName) {
    return `pod ${goQuote(`${namespace}/${podName}`)} is not running on node ${goQuote(nodeName)} named in the PodCertificateRequest`;
  }
  if (pod.metadata?.annotations?.[MIRROR] !== undefined) return `pod ${goQuote(`${namespace}/${podName}`)} is a mirror pod`;
  const runsAs = pod.spec?.serviceAccountName ?? "";
  if (serviceAccountName !== runsAs) {
    return `${named} contains serviceAccountName (${goQuote(serviceAccountName)}) that differs from running pod (${goQuote(runsAs)})`;
  }
  const account = stores.of<ServiceAccount>("", "serviceaccounts").cached(namespace, serviceAccountName);
  const quoted = goQuote(`${namespace}/${serviceAccountName}`);
  if (account === undefined) throw missing(`service account ${quoted}`, `serviceaccount ${goQuote(serviceAccountName)}`);
  if (account.metadata?.uid === serviceAccountUID) return undefined;
  const uid = goQuote(account.metadata?.uid ?? "");
  throw internalError(
    `${named} names service account UID ${goQuote(serviceAccountUID)}, which differs from the running service account (${uid})`,
  );
}

function missing(what: string, object: string): Error {
  return internalError(`while retrieving ${what} named in the PodCertificateRequest: ${object} not found`);
}
