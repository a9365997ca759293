import type { CertificateRequest } from "#component-helpers/certificates/certificate-request.ts";

/** Says what keeps a signer from signing; undefined when nothing does. */
export type SignerCheck = (request: CertificateRequest, usages: readonly string[]) => string | undefined;

const KUBELET_SERVING_USAGES = ["digital signature", "key encipherment", "server auth"];
const KUBELET_CLIENT_USAGES = ["client auth", "digital signature", "key encipherment"];

/** The signers that the controller manager is, and what each of them signs (upstream's `getCSRVerificationFuncForSignerName`). */
export const SIGNERS: ReadonlyMap<string, SignerCheck> = new Map([
  ["kubernetes.io/kubelet-serving", kubeletServingProblem],
  ["kubernetes.io/kube-apiserver-client-kubelet", kubeletClientProblem],
  ["kubernetes.io/kube-apiserver-client", (_request, usages) => apiServerClientProblem(usages)],
  // Whatever it was asked for: it is older than the rules.
  ["kubernetes.io/legacy-unknown", () => undefined],
]);

/** Upstream's `ValidateKubeletServingCSR`. */
export function kubeletServingProblem(request: CertificateRequest, usages: readonly string[]): string | undefined {
  const { emails, uris, dnsNames, ipAddresses } = request.alternatives;
  if (!isOfNodes(request)) return "subject organization is not system:nodes";
  if (dnsNames === 0 && ipAddresses === 0) return "DNS or IP subjectAltName is required";
  if (emails > 0) return "Email subjectAltNames are not allowed";
  if (uris > 0) return "URI subjectAltNames are not allowed";
  return usagesProblem(usages, KUBELET_SERVING_USAGES) ?? commonNameProblem(request);
}

/** Upstream's `ValidateKubeletClientCSR`. */
export function kubeletClientProblem(request: CertificateRequest, usages: readonly string[]): string | undefined {
  const { emails, uris, dnsNames, ipAddresses } = request.alternatives;
  if (!isOfNodes(request)) return "subject organization is not system:nodes";
  if (dnsNames > 0) return "DNS subjectAltNames are not allowed";
  if (emails > 0) return "Email subjectAltNames are not allowed";
  if (ipAddresses > 0) return "IP subjectAltNames are not allowed";
  if (uris > 0) return "URI subjectAltNames are not allowed";
  return commonNameProblem(request) ?? usagesProblem(usages, KUBELET_CLIENT_USAGES);
}

function apiServerClientProblem(usages: readonly string[]): string | undefined {
  const stray = usages.find((usage) => !KUBELET_CLIENT_USAGES.includes(usage));
  if (stray !== undefined) return `invalid usage for client certificate: ${stray}`;
  return usages.includes("client auth") ? undefined : "missing required usage for client certificate: client auth";
}

function isOfNodes({ organizations }: CertificateRequest): boolean {
  return organizations.length === 1 && organizations[0] === "system:nodes";
}

function commonNameProblem({ commonName }: CertificateRequest): string | undefined {
  return commonName.startsWith("system:node:") ? undefined : "subject common name does not begin with system:node:";
}

/** Keys that are not RSA's encipher nothing, so that usage may be absent. */
function usagesProblem(usages: readonly string[], wanted: readonly string[]): string | undefined {
  const asked = new Set(usages);
  asked.delete("key encipherment");
  const needed = wanted.filter((usage) => usage !== "key encipherment");
  const matches = asked.size === needed.length && needed.every((usage) => asked.has(usage));
  return matches ? undefined : `usages did not match [${wanted.join(" ")}]`;
}
