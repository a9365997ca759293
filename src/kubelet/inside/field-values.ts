import type { Pod } from "#api/generated/core/v1.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import { ownValue } from "#base/own-value.ts";

/** The addresses of a pod and of its node. */
export interface Addresses {
  readonly pod: string;
  readonly host: string;
  /** All of them, of each family one, where there are more. */
  readonly pods?: readonly string[];
  readonly hosts?: readonly string[];
}

/** A field of a pod as variables and files show it (upstream's `fieldpath` and `podFieldSelectorRuntimeValue`). */
export function fieldValue(pod: Pod, path: string, addresses: Addresses): string | undefined {
  const { metadata, spec } = pod;
  const [, map = "", key = ""] = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path) ?? [];
  if (map === "labels") return ownValue(metadata.labels, key) ?? "";
  if (map === "annotations") return ownValue(metadata.annotations, key) ?? "";
  const fields: Readonly<Record<string, () => string | undefined>> = {
    "metadata.name": () => metadata.name,
    "metadata.namespace": () => metadata.namespace,
    "metadata.uid": () => metadata.uid,
    "metadata.labels": () => formatMap(metadata.labels),
    "metadata.annotations": () => formatMap(metadata.annotations),
    "spec.nodeName": () => spec.nodeName,
    "spec.serviceAccountName": () => spec.serviceAccountName,
    "status.hostIP": () => addresses.host,
    "status.hostIPs": () => (addresses.hosts ?? [addresses.host]).join(","),
    "status.podIP": () => addresses.pod,
    "status.podIPs": () => (addresses.pods ?? [addresses.pod]).join(","),
  };
  return ownValue(fields, path)?.();
}

/** Each pair on a line of its own, in order: `key="value"`. */
function formatMap(map: Readonly<Record<string, string>> = {}): string {
  return Object.keys(map)
    .sort()
    .map((key) => `${key}=${goQuote(map[key] ?? "")}`)
    .join("\n");
}
