import type { ApiObject, ManagedFieldsEntry } from "../meta/api-object.ts";
import type { StructSchema } from "../schema/type-schema.ts";
import { withAtomicWholes } from "./apply-field-set.ts";
import { type Comparison, compareValues } from "./compare.ts";
import { emptyObject } from "./empty-object.ts";
import { rootPlan, structPlan } from "./field-plan.ts";
import { type FieldSet, isEmptySet, LEAF, subtractSets, unionSets } from "./field-set.ts";
import { MissingListKeyError } from "./field-values.ts";
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
  /** Where managers may have written other versions. */
  readonly versions?: ObjectVersions;
}

/** A kind in one of its versions. */
export interface VersionedKind {
  readonly apiVersion: string;
  readonly schema: StructSchema;
  /** Dotted paths that this endpoint does not write. */
  readonly resetFields: readonly string[];
}

/** The versions of a kind. */
export interface ObjectVersions {
  /** Undefined for a version that there is not (any more). */
  readonly find: (apiVersion: string) => VersionedKind | undefined;
  /** Shows an object of one version in another, normalised. Must not change it. */
  readonly convert: (object: ApiObject, from: string, to: string) => ApiObject;
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
  // Only the types of custom resources change while there are objects.
  if (update.schema.unstructured !== undefined) {
    const plan = structPlan(update.schema);
    for (const owner of managers.values()) {
      if (owner.apiVersion === update.apiVersion) owner.fields = withAtomicWholes(plan, owner.fields);
    }
  }
  const comparison = compareObjects(update, update.schema, update.resetFields ?? []);
  if (comparison === "incomparable") return false;
  const { added, modified } = comparison ?? {};
  const taken = added !== undefined && modified !== undefined ? unionSets(added, modified) : (added ?? modified);
  takeFields(managers, comparison, update);
  if (taken !== undefined) addOwner(managers, taken, update);
  return true;
}

function compareObjects(
  { old, object }: Pick<TrackedUpdate, "old" | "object">,
  schema: StructSchema,
  resetFields: readonly string[],
): Comparison | undefined | "incomparable" {
  try {
    return compareValues(rootPlan(schema, resetFields), old ?? emptyObject(schema), object);
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

/** Takes from each manager what was changed or removed, as it looks in the manager's version. */
function takeFields(managers: Managers, comparison: Comparison | undefined, update: TrackedUpdate): void {
  /** Of other versions than the update's, which nearly all managers have. */
  let others: Map<string, Seen> | undefined;
  for (const [id, manager] of managers) {
    const { apiVersion } = manager;
    let seen: Seen = comparison;
    if (apiVersion !== update.apiVersion) {
      others ??= new Map();
      if (!others.has(apiVersion)) others.set(apiVersion, compareIn(apiVersion, comparison, update));
      seen = others.get(apiVersion);
    }
    if (seen === "unknown") managers.delete(id);
    if (seen === undefined || seen === "incomparable" || seen === "unknown") continue;
    const { added, modified, removed } = seen;
    if (added !== undefined) manager.fields = subtractSets(manager.fields, added);
    if (modified !== undefined) manager.fields = subtractSets(manager.fields, modified);
    if (removed !== undefined) manager.fields = subtractSets(manager.fields, removed);
    if (isEmptySet(manager.fields)) managers.delete(id);
  }
}

/** What an update looks like in a manager's version. */
type Seen = Comparison | undefined | "incomparable" | "unknown";

function compareIn(
  apiVersion: string,
  comparison: Comparison | undefined,
  { versions, old, object, apiVersion: from }: TrackedUpdate,
): Seen {
  if (versions === undefined) return comparison;
  const version = versions.find(apiVersion);
  if (version === undefined) return "unknown";
  const shown = { old: old && versions.convert(old, from, apiVersion), object: versions.convert(object, from, apiVersion) };
  return compareObjects(shown, version.schema, version.resetFields);
}

function addOwner(managers: Managers, fields: FieldSet, { manager, apiVersion, subresource, now }: TrackedUpdate): void {
  const name = manager === "" ? "unknown" : manager;
  const owner: Manager = { name, operation: "Update", apiVersion, subresource, time: now, fields };
  const id = managerIdentity(owner);
  owner.fields = unionSets(managers.get(id)?.fields ?? LEAF, fields);
  managers.set(id, owner);
}
