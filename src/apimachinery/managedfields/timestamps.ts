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
  if (!entries.every((entry, i) => semanticEqual({ ...entry, time: "" }, { ...before[i], time: "" }))) return;
  const restored = { ...object, metadata: { ...object.metadata, managedFields: before } };
  if (semanticEqual(restored, old)) object.metadata.managedFields = before;
}
