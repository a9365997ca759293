import { goQuote } from "#apimachinery/validation/field-error.ts";

/** Labels of Kubernetes' own names that are a kubelet's own (upstream's `kubeletLabels`): it may be told to give them to its node, and keeps them as they are on its machine. */
export const KUBELET_LABELS: readonly string[] = [
  "kubernetes.io/hostname",
  "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
  "node.kubernetes.io/instance-type",
  "beta.kubernetes.io/instance-type",
  "kubernetes.io/os",
  "kubernetes.io/arch",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/arch",
];
/** Namespaces of others that it may give itself (KEP-279). */
const ALLOWED_NAMESPACES = ["kubelet.kubernetes.io", "node.kubernetes.io"];

/** Why labels cannot be a node's own (`--node-labels`), in upstream's words; undefined when they can. */
export function nodeLabelsProblem(labels: Readonly<Record<string, string>>): string | undefined {
  const unknown = Object.keys(labels).filter((key) => isKubernetes(key) && !isAllowed(key));
  if (unknown.length === 0) return undefined;
  const namespaces = ALLOWED_NAMESPACES.join(", ");
  return (
    `unknown 'kubernetes.io' or 'k8s.io' labels specified with --node-labels: [${unknown.sort().join(" ")}]\n` +
    `--node-labels in the 'kubernetes.io' namespace must begin with an allowed prefix (${namespaces}) or be in the specifically allowed set (${[...KUBELET_LABELS].sort().join(", ")})`
  );
}

function isKubernetes(key: string): boolean {
  return /(^|\.)(kubernetes|k8s)\.io$/.test(namespaceOf(key));
}

function isAllowed(key: string): boolean {
  const namespace = namespaceOf(key);
  return (
    KUBELET_LABELS.includes(key) ||
    ALLOWED_NAMESPACES.some((allowed) => namespace === allowed || namespace.endsWith(`.${allowed}`))
  );
}

function namespaceOf(key: string): string {
  const at = key.indexOf("/");
  return at < 0 ? "" : key.slice(0, at);
}

/** `--node-labels`' pairs. Throws an Error that says which is none. */
export function parseNodeLabels(items: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    items.map((item) => {
      const at = item.indexOf("=");
      if (at < 1) throw new Error(`--node-labels takes pairs such as key=value, not ${goQuote(item)}`);
      return [item.slice(0, at).trim(), item.slice(at + 1).trim()];
    }),
  );
}
