import type { ApiObject, ManagedFieldsEntry } from "../meta/api-object.ts";
import type { StructSchema } from "../schema/type-schema.ts";
import { type Comparison, compareValues, MissingListKeyError } from "./compare.ts";
import { emptyObject } from "./empty-object.ts";
import { rootPlan } from "./field-plan.ts";
import { type FieldSet, isEmptySet, LEAF, subtractSets, unionSets } from "./field-set.ts";
import { capUpdateManagers, decodeManagers, encodeManagers, type Manager, type Managers, managerIdentity } from "./managed.ts";

/** A write that is no apply. Both objects are normalised (Go's encoding rules) and in the version that the client spoke. */
export interface TrackedUpdate {
  readonly schema: StructSchema;
  /** Absent for a create. */
  readonly old?: ApiObject | undefined;
  /** Its `metadata.managedFields` are what the client sent, and are replaced. */
  readonly object: ApiObject;
  /** Empty is `unknown`. */
  readonly manager: string;
  readonly apiVersion: string;
  /** Empty for the resource itself. */
  readonly subresource: string;
  /** RFC 3339, whole seconds. */
  readonly now: string;
  /** Dotted paths that this endpoint does not write. */
  readonly resetFields?: readonly string[];
}

/**
 * Sets `metadata.managedFields` as upstream's `FieldManager.Update`: the manager owns what it added or changed, others
 * lose what was changed or removed. An update that changes nothing leaves all entries and times as they were.
 */
export function trackUpdate(update: TrackedUpdate): void {
  const { old, object, subresource } = update;
  const managers = startingManagers(object.metadata.managedFields, old?.metadata.managedFields, subresource !== "");
  delete object.metadata.managedFields;
  // After a reset nothing is tracked until the next apply.
  if (managers.size === 0 && old?.metadata.uid) return;
  if (!recordUpdate(managers, update)) return;
  capUpdateManagers(managers);
  const entries = encodeManagers(managers);
  if (entries !== undefined) object.metadata.managedFields = entries;
}

/** Gives the manager what the update changed; false where the objects cannot be compared. */
export function recordUpdate(managers: Managers, update: TrackedUpdate): boolean {
  const comparison = compareObjects(update);
  if (comparison === "incomparable") return false;
  if (comparison !== undefined) recordChanges(managers, comparison, update);
  return true;
}

function compareObjects({ schema, old, object, resetFields }: TrackedUpdate): Comparison | undefined | "incomparable" {
  try {
    return compareValues(rootPlan(schema, resetFields ?? []), old ?? emptyObject(schema), object);
  } catch (error) {
    if (error instanceof MissingListKeyError) return "incomparable";
    throw error;
  }
}

/**
 * The managers before the write: those the client sent, if it sent good ones, else those of the old object. `[]` and
 * `[{}]` reset them. Writes to subresources cannot set them.
 */
function startingManagers(
  sent: readonly ManagedFieldsEntry[] | undefined | null,
  old: readonly ManagedFieldsEntry[] | undefined,
  isSubresource: boolean,
): Managers {
  if (!isSubresource && sent !== undefined && sent !== null && sent !== old) {
    if (isReset(sent)) return new Map();
    const managers = decodeManagers(sent);
    if (managers !== undefined && managers.size > 0) return managers;
  }
  return decodeManagers(old) ?? new Map();
}

function isReset(entries: readonly ManagedFieldsEntry[]): boolean {
  if (entries.length > 1) return false;
  return Object.values(entries[0] ?? {}).every((value) => value === undefined || value === null || value === "");
}

function recordChanges(managers: Managers, comparison: Comparison, update: TrackedUpdate): void {
  const { added, modified, removed } = comparison;
  const taken = added !== undefined && modified !== undefined ? unionSets(added, modified) : (added ?? modified);
  for (const [id, manager] of managers) {
    if (taken !== undefined) manager.fields = subtractSets(manager.fields, taken);
    if (removed !== undefined) manager.fields = subtractSets(manager.fields, removed);
    if (isEmptySet(manager.fields)) managers.delete(id);
  }
  if (taken !== undefined) addOwner(managers, taken, update);
}

function addOwner(managers: Managers, fields: FieldSet, { manager, apiVersion, subresource, now }: TrackedUpdate): void {
  const name = manager === "" ? "unknown" : manager;
  const owner: Manager = { name, operation: "Update", apiVersion, subresource, time: now, fields };
  const id = managerIdentity(owner);
  owner.fields = unionSets(managers.get(id)?.fields ?? LEAF, fields);
  managers.set(id, owner);
}
