import type { ApiObject, OwnerReference } from "#apimachinery/meta/api-object.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";

/** Drops repeated owner references and warns of them, as upstream's `dedupOwnerReferencesAndAddWarning`. */
export function dedupOwnerReferences(object: ApiObject, warnings: string[], afterAdmission: boolean): void {
  const references = object.metadata.ownerReferences;
  if (references === undefined || references === null || references.length < 2) return;
  const kept: OwnerReference[] = [];
  const repeated: string[] = [];
  for (const reference of references) {
    if (kept.some((other) => other.uid === reference.uid && semanticEqual(other, reference))) repeated.push(reference.uid);
    else kept.push(reference);
  }
  if (repeated.length === 0) return;
  object.metadata.ownerReferences = kept;
  const uids = [...new Set(repeated)].join(", ");
  warnings.push(
    afterAdmission
      ? `.metadata.ownerReferences contains duplicate entries after mutating admission happens; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${uids}`
      : `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${uids}`,
  );
}
