import type { ManagedFieldsEntry } from "../meta/api-object.ts";
import { type FieldSet, isMember, LEAF, makeNode, unionSets } from "./field-set.ts";
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

function hasPath(set: FieldSet, path: readonly string[]): boolean {
  let node: FieldSet | undefined = set;
  for (const name of path) node = node?.[`f:${name}`];
  return node !== undefined && isMember(node);
}

function pathSet(path: readonly string[]): FieldSet {
  return path.reduceRight<FieldSet>((node, name) => makeNode(false, [[`f:${name}`, node]]), LEAF);
}
