import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import { isQualifiedName } from "#apimachinery/validation/names.ts";

const STANDARD = new Set(["orphan", "foregroundDeletion", "kubernetes"]);

/** Warns of new finalizers that others may use too: their names have no domain. Upstream's `generateWarningsFromObj`. */
export function finalizerWarnings({ metadata }: ApiObject, old?: ApiObject): string[] {
  const known = new Set(old?.metadata.finalizers);
  const added = [...new Set(metadata.finalizers)].filter((name) => !known.has(name)).sort();
  return added.flatMap((name) => {
    const faults = isQualifiedName(name);
    if (!name.includes("/") && !STANDARD.has(name)) {
      const path = name.includes(".") ? " including a path (/)" : "";
      faults.push(`prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`);
    }
    return faults.map((fault) => `metadata.finalizers: ${goQuote(name)}: ${fault}`);
  });
}
