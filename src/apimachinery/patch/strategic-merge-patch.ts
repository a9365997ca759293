import { badRequest } from "../api-errors/errors.ts";
import { deepCopy } from "../meta/deep-copy.ts";
import type { TypeSchema } from "../schema/type-schema.ts";
import { deduplicate, elementKind, normalizeElementOrder, partitionByPresence, requireMergeKey } from "./element-order.ts";
import { goFormat, goFormatAsString, goTypeName, jsonKind } from "./go-format.ts";
import { isMap, type JsonMap, setKey } from "./json-map.ts";
import { goKindOf, patchMetaForMap, patchMetaForSlice } from "./patch-meta.ts";
import {
  BAD_PRIMITIVE_LIST,
  BAD_RETAIN_KEYS,
  BAD_SET_ELEMENT_ORDER,
  badPatchFormat,
  DIRECTIVE,
  patchError,
} from "./smp-errors.ts";

const RETAIN_KEYS = "$retainKeys";
const DELETE_FROM_PRIMITIVE_LIST = "$deleteFromPrimitiveList";
const SET_ELEMENT_ORDER = "$setElementOrder";

/** A patched object, and what is left of the patch: upstream shows that when the object then does not decode. */
export interface StrategicMergeResult {
  readonly object: JsonMap;
  readonly remainingPatch: JsonMap;
}

/** As {@link strategicMergePatch}, only the object. */
export function applyStrategicMergePatch(schema: TypeSchema, document: unknown, patch: unknown): unknown {
  return strategicMergePatch(schema, document, patch).object;
}

/**
 * Applies a strategic merge patch as `StrategicMergeMapPatch` does, with its directives `$patch`, `$retainKeys`,
 * `$deleteFromPrimitiveList/x` and `$setElementOrder/x`. Neither argument is changed. Throws StatusErrors with upstream's
 * codes: most faults of a patch are a 500. What upstream crashes on (an order for a list of maps without a key) is done.
 */
export function strategicMergePatch(schema: TypeSchema, document: unknown, patch: unknown): StrategicMergeResult {
  if (patch !== null && !isMap(patch)) {
    throw badRequest(`json: cannot unmarshal ${jsonKind(patch)} into Go value of type map[string]interface {}`);
  }
  const remainingPatch: JsonMap = deepCopy(patch ?? {});
  return { object: mergeMap((document ?? {}) as JsonMap, remainingPatch, schema), remainingPatch };
}

// The patch is taken apart, as upstream does. Of the document only what the patch walks through is copied.
function mergeMap(document: JsonMap, patch: JsonMap, schema: TypeSchema | undefined): JsonMap {
  if (Object.hasOwn(patch, DIRECTIVE)) return wholeMapDirective(patch);
  const original = copyOf(document);
  retainKeys(original, patch);
  mergeOrderedLists(original, patch, schema);
  for (const patchKey of Object.keys(patch)) {
    const deletes = patchKey.startsWith(DELETE_FROM_PRIMITIVE_LIST);
    const key = deletes ? directiveTarget(patchKey, DELETE_FROM_PRIMITIVE_LIST, BAD_PRIMITIVE_LIST) : patchKey;
    const value = patch[patchKey];
    if (value === null) {
      delete original[key];
      continue;
    }
    const current = Object.hasOwn(original, key) ? original[key] : undefined;
    if (current === undefined || goTypeName(current) !== goTypeName(value)) {
      if (!deletes) take(original, key, value);
    } else if (isMap(current) && isMap(value)) {
      const meta = patchMetaForMap(schema, key);
      setKey(original, key, meta.strategy === "replace" ? value : mergeMap(current, value, meta.type));
    } else if (Array.isArray(current) && Array.isArray(value)) {
      const meta = patchMetaForSlice(schema, key);
      const merges = meta.strategy === "merge" || deletes;
      setKey(original, key, merges ? mergeSlice(current, value, meta.type, meta.mergeKey, deletes) : value);
    } else {
      setKey(original, key, value);
    }
  }
  return original;
}

/** Not by spreading: V8 takes a microsecond for each member that what was made so is given further. */
function copyOf(document: JsonMap): JsonMap {
  const copy: JsonMap = {};
  for (const key in document) setKey(copy, key, document[key]);
  return copy;
}

function take(original: JsonMap, key: string, value: unknown): void {
  discardNulls(value);
  if (isMap(value) && Object.hasOwn(value, DIRECTIVE)) delete original[key];
  else setKey(original, key, removeDirectives(value));
}

function wholeMapDirective(patch: JsonMap): JsonMap {
  const directive = patch[DIRECTIVE];
  if (directive === "delete") return {};
  if (directive !== "replace") throw badPatchType(directive, patch);
  delete patch[DIRECTIVE];
  return patch;
}

function badPatchType(directive: unknown, patch: JsonMap): Error {
  return patchError(`unknown patch type: ${goFormatAsString(directive)} in map: ${goFormat(patch)}`);
}

/** The field's name behind the slash of `$directive/name`. */
function directiveTarget(key: string, prefix: string, message: Parameters<typeof badPatchFormat>[0]): string {
  const slash = key.indexOf("/");
  if (slash < 0 || key.slice(0, slash) !== prefix) throw badPatchFormat(message);
  return key.slice(slash + 1);
}

function retainKeys(original: JsonMap, patch: JsonMap): void {
  if (!Object.hasOwn(patch, RETAIN_KEYS)) return;
  const list = patch[RETAIN_KEYS];
  delete patch[RETAIN_KEYS];
  if (!Array.isArray(list)) throw badPatchFormat(BAD_RETAIN_KEYS);
  const kept = new Set<unknown>(list);
  for (const key of Object.keys(patch)) {
    const exempt = patch[key] === null || key.startsWith(DELETE_FROM_PRIMITIVE_LIST) || key.startsWith(SET_ELEMENT_ORDER);
    if (!exempt && !kept.has(key)) throw badPatchFormat(BAD_RETAIN_KEYS);
  }
  for (const key of Object.keys(original)) if (!kept.has(key)) delete original[key];
}

/** Handles every `$setElementOrder/x` together with the patch's own list `x`, and takes both out of the patch. */
function mergeOrderedLists(original: JsonMap, patch: JsonMap, schema: TypeSchema | undefined): void {
  for (const directive of Object.keys(patch)) {
    if (!directive.startsWith(SET_ELEMENT_ORDER)) continue;
    const order = patch[directive];
    delete patch[directive];
    const key = directiveTarget(directive, SET_ELEMENT_ORDER, BAD_SET_ELEMENT_ORDER);
    if (!Array.isArray(order)) throw badArgType(order);
    const current = Object.hasOwn(original, key) ? original[key] : undefined;
    const change = Object.hasOwn(patch, key) ? patch[key] : undefined;
    if (current !== undefined && !Array.isArray(current)) throw badArgType(current);
    if (change !== undefined && !Array.isArray(change)) throw badArgType(change);
    const meta = patchMetaForSlice(schema, key);
    checkOrder(change ?? [], order, meta.mergeKey);
    if (current === undefined && change === undefined) continue;
    const merged = mergedList(current, change, meta);
    const { present, others } = partitionByPresence(merged, order, meta.mergeKey);
    const isMaps = elementKind([current ?? [], change ?? []]) === "map";
    setKey(original, key, normalizeElementOrder(present, others, order, current ?? [], meta.mergeKey, isMaps));
    delete patch[key];
  }
}

function mergedList(
  current: unknown[] | undefined,
  change: unknown[] | undefined,
  meta: { type: TypeSchema | undefined; mergeKey: string; strategy: string },
): unknown[] {
  if (change === undefined) return current ?? [];
  if (current === undefined) return removeDirectives(change) as unknown[];
  return meta.strategy === "merge" ? mergeSlice(current, change, meta.type, meta.mergeKey, false) : change;
}

function badArgType(actual: unknown): Error {
  return patchError(`expected a []interface {}, but received a ${goTypeName(actual)}`);
}

/** The patch's items stand in the order's list, in that order; those to be deleted need not. */
function checkOrder(patch: unknown[], order: unknown[], mergeKey: string): void {
  if (patch.length === 0 || order.length === 0) return;
  const items = patch.filter((item) => !(isMap(item) && Object.hasOwn(item, DIRECTIVE)));
  let next = 0;
  for (const wanted of order) {
    if (next >= items.length) return;
    if (sameItem(items[next], wanted, mergeKey)) next++;
  }
  if (next < items.length) {
    throw patchError(
      `The order in patch list:\n${goFormat(patch)}\n doesn't match ${SET_ELEMENT_ORDER} list:\n${goFormat(order)}\n`,
    );
  }
}

function sameItem(a: unknown, b: unknown, mergeKey: string): boolean {
  if (mergeKey === "") return a === b;
  return requireMergeKey(a, mergeKey) === requireMergeKey(b, mergeKey);
}

function mergeSlice(
  current: unknown[],
  patch: unknown[],
  schema: TypeSchema | undefined,
  mergeKey: string,
  deletes: boolean,
): unknown[] {
  if (current.length === 0 && patch.length === 0) return current;
  if (elementKind([current, patch]) !== "map") {
    if (deletes) return current.filter((item) => !patch.includes(item));
    const merged = deduplicate([...current, ...patch]);
    const { present, others } = partitionByPresence(merged, patch, "");
    return normalizeElementOrder(present, others, patch, current, "", false);
  }
  if (mergeKey === "") throw patchError(`cannot merge lists without merge key for ${goKindOf(schema)}`);
  const special = specialElements(current as JsonMap[], patch as JsonMap[], mergeKey);
  const merged = mergeItems(special.current, special.patch, mergeKey, schema);
  const { present, others } = partitionByPresence(merged, special.patch, mergeKey);
  return normalizeElementOrder(present, others, special.patch, special.current, mergeKey, true);
}

function specialElements(current: JsonMap[], patch: JsonMap[], mergeKey: string): { current: JsonMap[]; patch: JsonMap[] } {
  let kept = current;
  let replaces = false;
  const plain: JsonMap[] = [];
  for (const item of patch) {
    if (!Object.hasOwn(item, DIRECTIVE)) {
      plain.push(item);
      continue;
    }
    const directive = item[DIRECTIVE];
    if (directive === "delete") {
      const value = requireMergeKey(item, mergeKey);
      kept = kept.filter((existing) => existing[mergeKey] !== value);
    } else if (directive === "replace") replaces = true;
    else if (directive === "merge") throw patchError("merging lists cannot yet be specified in the patch");
    else throw badPatchType(directive, item);
  }
  return replaces ? { current: plain, patch: [] } : { current: kept, patch: plain };
}

function mergeItems(current: JsonMap[], patch: JsonMap[], mergeKey: string, schema: TypeSchema | undefined): JsonMap[] {
  const merged = [...current];
  for (const item of patch) {
    const value = requireMergeKey(item, mergeKey);
    const at = merged.findIndex((existing) => Object.hasOwn(existing, mergeKey) && existing[mergeKey] === value);
    const existing = merged[at];
    if (existing === undefined) merged.push(item);
    else merged[at] = mergeMap(existing, item, schema);
  }
  return merged;
}

function discardNulls(value: unknown): void {
  if (Array.isArray(value)) value.forEach(discardNulls);
  else if (isMap(value)) {
    for (const key in value) {
      if (value[key] === null) delete value[key];
      else discardNulls(value[key]);
    }
  }
}

function removeDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => !isDirective(item)).map(removeDirectives);
  if (!isMap(value)) return value;
  for (const key in value) {
    const item = value[key];
    if (isDirective(item)) delete value[key];
    else if (typeof item === "object") setKey(value, key, removeDirectives(item));
  }
  return value;
}

function isDirective(value: unknown): boolean {
  return isMap(value) && Object.hasOwn(value, DIRECTIVE);
}
