import type { ManagedFieldsEntry } from "../meta/api-object.ts";
import { type FieldSet, isEmptySet, isMember, LEAF, makeNode, subtractSets, unionSets } from "./field-set.ts";
import { decodeManagers, encodeManagers, type Managers, managerIdentity } from "./managed.ts";

/** A field of a view on an object: its names there and in the view. */
export interface ViewField {
  readonly object: readonly string[];
  readonly view: readonly string[];
}

/**
 * Who owns the fields of a view, told from who owns them in the object it shows: upstream's `ScaleHandler.ToSubresource`.
 * Undefined for nobody.
 */
export function viewManagers(
  entries: readonly ManagedFieldsEntry[] | undefined,
  fields: readonly ViewField[],
  apiVersion: string,
): ManagedFieldsEntry[] | undefined {
  const shown: Managers = new Map();
  for (const manager of decodeManagers(entries)?.values() ?? []) {
    let owned: FieldSet = LEAF;
    for (const field of fields) {
      if (hasPath(manager.fields, field.object)) owned = unionSets(owned, pathSet(field.view));
    }
    if (owned === LEAF) continue;
    const seen = { ...manager, apiVersion, fields: owned };
    shown.set(managerIdentity(seen), seen);
  }
  return encodeManagers(shown);
}

/** Entries of an object's managers, and what tells the version of the object that is spoken of. */
export interface ViewedEntries {
  readonly entries: readonly ManagedFieldsEntry[] | undefined;
  readonly apiVersion: string;
  /** Whether the object has this version; entries of others are dropped. */
  readonly isVersion: (apiVersion: string) => boolean;
}

/**
 * Who owns what in an object after a write through a view whose managers are `viewEntries`: upstream's
 * `ScaleHandler.ToParent`. Those who lost a field in the view lose it in the object. Who is new there is so without a time,
 * and so is one that updates, since the version in its name is the view's.
 */
export function parentManagers(
  parent: ViewedEntries,
  viewEntries: readonly ManagedFieldsEntry[] | undefined,
  fields: readonly ViewField[],
): ManagedFieldsEntry[] | undefined {
  const parents: Managers = decodeManagers(parent.entries) ?? new Map();
  const views: Managers = decodeManagers(viewEntries) ?? new Map();
  const owned: Managers = new Map();
  const shown = fields.reduce<FieldSet>((set, { object }) => unionSets(set, pathSet(object)), LEAF);
  for (const [id, manager] of parents) {
    if (!parent.isVersion(manager.apiVersion)) continue;
    const kept = views.delete(id) || !fields.some(({ object }) => hasPath(manager.fields, object));
    const rest = kept ? manager.fields : subtractSets(manager.fields, shown);
    if (!isEmptySet(rest)) owned.set(id, { ...manager, fields: rest });
  }
  for (const [id, manager] of views) {
    const taken = fields.filter(({ view }) => hasPath(manager.fields, view));
    if (taken.length === 0) continue;
    const set = taken.reduce<FieldSet>((all, { object }) => unionSets(all, pathSet(object)), LEAF);
    owned.set(id, { ...manager, apiVersion: parent.apiVersion, time: parents.get(id)?.time, fields: set });
  }
  return encodeManagers(owned);
}

function hasPath(set: FieldSet, path: readonly string[]): boolean {
  let node: FieldSet | undefined = set;
  for (const name of path) node = node?.[`f:${name}`];
  return node !== undefined && isMember(node);
}

function pathSet(path: readonly string[]): FieldSet {
  return path.reduceRight<FieldSet>((node, name) => makeNode(false, [[`f:${name}`, node]]), LEAF);
}
