import type { ApiObject } from "../meta/api-object.ts";
import { semanticEqual } from "../meta/deep-equal.ts";

/**
 * Puts the times of managers back where an update changed nothing else: a new time alone is no reason for a new
 * resourceVersion (upstream's `IgnoreManagedFieldsTimestampsTransformer`).
 */
export function restoreTimes(object: ApiObject, old: ApiObject): void {
  const entries = object.metadata.managedFields ?? [];
  const before = old.metadata.managedFields ?? [];
  if (entries.length === 0 || entries.length !== before.length) return;
  if (entries.every(({ time }, i) => time === before[i]?.time)) return;
  if (!isSameBeside("metadata", object, old)) return;
  if (!entries.every((entry, i) => isSameBeside("time", entry, before[i] ?? entry))) return;
  const restored = { ...object.metadata, managedFields: before };
  if (semanticEqual(restored, old.metadata)) object.metadata.managedFields = before;
}

/** Whether two structs mean the same but for one field. */
function isSameBeside<T extends object>(field: keyof T & string, a: T, b: T): boolean {
  const left = a as Readonly<Record<string, unknown>>;
  const right = b as Readonly<Record<string, unknown>>;
  for (const key in left) if (key !== field && !semanticEqual(left[key], right[key])) return false;
  for (const key in right) if (key !== field && !(key in left) && !semanticEqual(undefined, right[key])) return false;
  return true;
}
