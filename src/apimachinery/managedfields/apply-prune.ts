import { configuredFields, withNamedFields } from "./apply-field-set.ts";
import { removePaths } from "./apply-remove.ts";
import type { FieldPlan } from "./field-plan.ts";
import { type FieldSet, intersectSets, isEmptySet, subtractSets, unionOfAll, unionSets } from "./field-set.ts";
import type { Manager, Managers } from "./managed.ts";

/** A value in one version of its kind. */
export interface VersionedValue {
  readonly apiVersion: string;
  readonly plan: FieldPlan;
  readonly value: unknown;
}

/** Shows a value in another version; undefined where the kind does not have it. */
export type Convert = (value: VersionedValue, apiVersion: string) => VersionedValue | undefined;

/**
 * Takes out of a merged object what the applying manager wanted last time and nobody wants now (`Updater.prune`).
 * `managers` has the manager's new fields already, `wanted` is these alone. Where it still wants all that it wanted, nothing
 * goes: each item and entry on the way to a wanted field is wanted too. Only a conversion could lose some.
 */
export function prune(
  merged: VersionedValue,
  last: Manager | undefined,
  wanted: FieldSet,
  managers: Managers,
  convert: Convert,
): VersionedValue {
  if (last === undefined || isEmptySet(last.fields)) return merged;
  if (isEmptySet(subtractSets(last.fields, wanted)) && isOneVersion(merged.apiVersion, last, managers)) return merged;
  const whole = convert(merged, last.apiVersion);
  if (whole === undefined) return merged;
  const lastFields = withNamedFields(whole.plan, last.fields);
  let pruned: VersionedValue = { ...whole, value: removePaths(whole.plan, whole.value, lastFields) };
  for (const [apiVersion, owned] of ownedByVersion(managers, whole.apiVersion)) {
    pruned = addBackOwned(whole, pruned, apiVersion, owned, convert);
  }
  const kept = convert(pruned, last.apiVersion) ?? pruned;
  const gone = subtractSets(namedFields(whole), namedFields(kept));
  const value = removePaths(whole.plan, whole.value, intersectSets(gone, lastFields));
  return convert({ ...whole, value }, merged.apiVersion) ?? merged;
}

function isOneVersion(apiVersion: string, last: Manager, managers: Managers): boolean {
  if (last.apiVersion !== apiVersion) return false;
  for (const manager of managers.values()) if (manager.apiVersion !== apiVersion) return false;
  return true;
}

function namedFields({ plan, value }: VersionedValue): FieldSet {
  return withNamedFields(plan, configuredFields(plan, value));
}

/** What all managers own together, the given version first: what it needs must be there before others are converted to. */
function ownedByVersion(managers: Managers, first: string): Map<string, FieldSet> {
  const owned = new Map<string, FieldSet[]>([[first, []]]);
  for (const { apiVersion, fields } of managers.values()) {
    const sets = owned.get(apiVersion);
    if (sets === undefined) owned.set(apiVersion, [fields]);
    else sets.push(fields);
  }
  return new Map([...owned].map(([apiVersion, sets]) => [apiVersion, unionOfAll(sets)]));
}

function addBackOwned(
  whole: VersionedValue,
  pruned: VersionedValue,
  apiVersion: string,
  owned: FieldSet,
  convert: Convert,
): VersionedValue {
  const [all, rest] = [convert(whole, apiVersion), convert(pruned, apiVersion)];
  if (all === undefined || rest === undefined) return pruned;
  const keep = unionSets(namedFields(rest), withNamedFields(all.plan, owned));
  return { ...all, value: removePaths(all.plan, all.value, subtractSets(namedFields(all), keep)) };
}
