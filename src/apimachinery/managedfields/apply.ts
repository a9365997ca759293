import { badRequest } from "../api-errors/errors.ts";
import { plainError } from "../api-errors/plain-error.ts";
import type { ApiObject, ManagedFieldsEntry } from "../meta/api-object.ts";
import { parseGroupVersion } from "../meta/api-object.ts";
import { type Conflict, conflictError } from "./apply-conflicts.ts";
import { configuredFields, withAtomicWholes } from "./apply-field-set.ts";
import { KUBECTL_MANAGER, lastAppliedFields } from "./apply-last-applied.ts";
import { mergeValues } from "./apply-merge.ts";
import { type Convert, prune, type VersionedValue } from "./apply-prune.ts";
import { typeFaults } from "./apply-validate.ts";
import { type Comparison, compareValues, jsonEqual } from "./compare.ts";
import { emptyObject } from "./empty-object.ts";
import { rootPlan, structPlan, UNOWNED_PATHS } from "./field-plan.ts";
import { type FieldSet, intersectSets, isEmptySet, LEAF, makeNode, subtractSets, unionSets, withoutBelow } from "./field-set.ts";
import { asMap, type JsonMap } from "./field-values.ts";
import { decodeManagers, encodeManagers, type Manager, type Managers, managerIdentity } from "./managed.ts";
import { recordUpdate, type VersionedKind } from "./update.ts";

/** Fields of objects that were never applied belong to this manager. */
const BEFORE_FIRST_APPLY = "before-first-apply";

/** A configuration to be applied. */
export interface Application extends VersionedKind {
  readonly kind: string;
  /** As Go would encode it, in the client's version; undefined when the object is to be made. */
  readonly live: ApiObject | undefined;
  readonly config: JsonMap;
  readonly manager: string;
  /** Empty for the resource itself. */
  readonly subresource: string;
  /** Takes fields over that others own. */
  readonly force: boolean;
  /** RFC 3339, whole seconds. */
  readonly now: string;
  /** Other versions of the kind; undefined for those that there are not. */
  readonly versions: (apiVersion: string) => VersionedKind | undefined;
  /** Shows an object of one version, not decoded yet, in another. */
  readonly convert: (object: JsonMap, from: string, to: string) => JsonMap;
}

/** What an apply makes of an object. */
export interface Applied {
  /** Merged, but not decoded: with nulls, without defaults. */
  readonly object: JsonMap;
  readonly managedFields: ManagedFieldsEntry[] | undefined;
}

/** Server-side apply: upstream's `FieldManager.Apply` and structured-merge-diff's `Updater.Apply`. Throws 400, 409 and 500. */
export function applyConfiguration(application: Application): Applied {
  checkConfig(application);
  const { live, schema, manager, apiVersion } = application;
  const conflicts: Conflict[] = [];
  const applied = merge(application, conflicts);
  if (conflicts.length === 0) return applied;
  const allowed = manager === KUBECTL_MANAGER && live !== undefined ? lastAppliedFields(schema, live, apiVersion) : undefined;
  if (allowed === undefined) throw conflictError(conflicts);
  const rest = conflicts.map((conflict) => ({ ...conflict, fields: subtractSets(conflict.fields, allowed) }));
  const forbidden = rest.filter(({ fields }) => !isEmptySet(fields));
  if (forbidden.length > 0) throw conflictError(forbidden);
  return merge({ ...application, force: true }, []);
}

function checkConfig({ config, apiVersion, kind, schema }: Application): void {
  const given = { apiVersion: textOf(config.apiVersion), kind: textOf(config.kind) };
  if (given.apiVersion !== apiVersion || given.kind !== kind) {
    throw badRequest(`invalid object type: ${gvkText(given.apiVersion, given.kind)}`);
  }
  const metadata = asMap(config.metadata);
  if (metadata?.managedFields !== undefined && metadata.managedFields !== null) {
    throw badRequest("metadata.managedFields must be nil");
  }
  const faults = typeFaults(schema, config);
  if (faults === undefined) return;
  throw plainError(`failed to create typed patch object (${objectText(config)}): ${faults}`);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function gvkText(apiVersion: string, kind: string): string {
  const { group, version } = parseGroupVersion(apiVersion);
  return `${group}/${version}, Kind=${kind}`;
}

/** How messages name an object: `NAMESPACE/NAME; GROUP/VERSION, Kind=KIND`. */
export function objectText(object: JsonMap): string {
  const metadata = asMap(object.metadata);
  const name = `${textOf(metadata?.namespace)}/${textOf(metadata?.name)}`;
  return `${name}; ${gvkText(textOf(object.apiVersion), textOf(object.kind))}`;
}

function merge(application: Application, conflicts: Conflict[]): Applied {
  const { schema, apiVersion, manager, subresource, resetFields, config, now } = application;
  const managers = startingManagers(application);
  const plan = structPlan(schema);
  const live: JsonMap = application.live ?? emptyObject(schema);
  const self = managerIdentity({ name: manager, operation: "Apply", apiVersion, subresource });
  const last = managers.get(self);
  const fields = resetFields.reduce((set, path) => withoutBelow(set, stepsOf(path)), configuredFields(plan, config));
  const owner: Manager = { name: manager, operation: "Apply", apiVersion, subresource, time: last?.time, fields };
  managers.set(self, owner);
  const convert = converter(application);
  const merged: VersionedValue = { apiVersion, plan, value: mergeValues(plan, live, config) };
  const object = (asMap(prune(merged, last, fields, managers, convert).value) ?? {}) as JsonMap;
  conflicts.push(...giveUpFields(application, managers, self, live, object));
  owner.fields = subtractSets(fields, UNOWNED);
  if (isEmptySet(owner.fields)) managers.delete(self);
  if (!jsonEqual(live, object)) owner.time = now;
  return { object, managedFields: encodeManagers(managers) };
}

function stepsOf(path: string): string[] {
  return path.split(".").map((name) => `f:${name}`);
}

/** What no manager owns even if it applies it. */
const UNOWNED: FieldSet = [...UNOWNED_PATHS, "metadata"].reduce<FieldSet>((set, path) => {
  const leaf = stepsOf(path).reduceRight<FieldSet>((below, step) => makeNode(false, [[step, below]]), LEAF);
  return unionSets(set, leaf);
}, LEAF);

function startingManagers(application: Application): Managers {
  const { live, schema, apiVersion, subresource, now, resetFields } = application;
  const managers = decodeManagers(live?.metadata.managedFields);
  if (managers === undefined) throw plainError("failed to decode managed fields: invalid managedFields entry");
  for (const owner of managers.values()) {
    const version = owner.apiVersion === apiVersion ? application : application.versions(owner.apiVersion);
    if (version !== undefined) owner.fields = withAtomicWholes(structPlan(version.schema), owner.fields);
  }
  if (managers.size === 0 && live !== undefined) {
    recordUpdate(managers, { schema, object: live, manager: BEFORE_FIRST_APPLY, apiVersion, subresource, now, resetFields });
  }
  return managers;
}

function converter({ versions, convert }: Application): Convert {
  return (value, apiVersion) => {
    if (value.apiVersion === apiVersion) return value;
    const version = versions(apiVersion);
    if (version === undefined) return undefined;
    const object = convert((asMap(value.value) ?? {}) as JsonMap, value.apiVersion, apiVersion);
    return { apiVersion, plan: structPlan(version.schema), value: object };
  };
}

/**
 * Takes what changes from the other managers (`Updater.update`), each in the version that it wrote in. What they would
 * lose against their will comes back as conflicts, unless the apply is forced.
 */
function giveUpFields(application: Application, managers: Managers, self: string, live: JsonMap, object: JsonMap): Conflict[] {
  const conflicts: Conflict[] = [];
  const comparisons = new Map<string, Comparison | undefined>();
  for (const [id, manager] of [...managers]) {
    if (id === self) continue;
    const { apiVersion } = manager;
    const version = apiVersion === application.apiVersion ? application : application.versions(apiVersion);
    if (version === undefined) {
      managers.delete(id);
      continue;
    }
    if (!comparisons.has(apiVersion)) comparisons.set(apiVersion, compareIn(application, version, live, object));
    const { added = LEAF, modified = LEAF, removed = LEAF } = comparisons.get(apiVersion) ?? {};
    const lost = intersectSets(manager.fields, unionSets(modified, added));
    if (!isEmptySet(lost) && !application.force) conflicts.push({ manager: { ...manager }, fields: lost });
    manager.fields = subtractSets(subtractSets(manager.fields, lost), removed);
    if (isEmptySet(manager.fields)) managers.delete(id);
  }
  return conflicts;
}

function compareIn(application: Application, version: VersionedKind, live: JsonMap, object: JsonMap): Comparison | undefined {
  const { apiVersion, schema, resetFields } = version;
  const shown = (value: JsonMap): JsonMap =>
    apiVersion === application.apiVersion ? value : application.convert(value, application.apiVersion, apiVersion);
  return compareValues(rootPlan(schema, resetFields), shown(live), shown(object), true);
}
