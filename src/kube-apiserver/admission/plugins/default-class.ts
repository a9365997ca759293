import type { ApiObject } from "#apimachinery/meta/api-object.ts";

/** The class that an annotation marks as default: of several the youngest, of equally old ones the first by name. */
export function defaultClass<T extends object>(classes: readonly T[], annotations: readonly string[]): T | undefined {
  let best: ApiObject | undefined;
  for (const item of classes) {
    const candidate = item as unknown as ApiObject;
    if (!annotations.some((annotation) => candidate.metadata.annotations?.[annotation] === "true")) continue;
    if (best === undefined || precedes(candidate, best)) best = candidate;
  }
  return best as unknown as T | undefined;
}

function precedes(a: ApiObject, b: ApiObject): boolean {
  const [older, newer] = [b.metadata.creationTimestamp ?? "", a.metadata.creationTimestamp ?? ""];
  return newer === older ? (a.metadata.name ?? "") < (b.metadata.name ?? "") : newer > older;
}
