import { goFormat, goTypeName } from "./go-format.ts";
import { isMap } from "./json-map.ts";
import { DIRECTIVE, listOfLists, patchError } from "./smp-errors.ts";

/** What the items of these lists are; all have to be of one type. */
export function elementKind(lists: readonly (readonly unknown[])[]): "map" | "scalar" {
  let type: string | undefined;
  for (const list of lists) {
    for (const item of list) {
      const current = goTypeName(item);
      if (type === undefined && Array.isArray(item)) throw listOfLists();
      if (type !== undefined && type !== current) throw patchError(`list element types are not identical: ${goFormat(lists)}`);
      type = current;
    }
  }
  if (type === undefined) throw patchError("no elements in any of the given slices");
  return type === "map[string]interface {}" ? "map" : "scalar";
}

/** The value of the merge key of an item that has to have one. */
export function requireMergeKey(item: unknown, mergeKey: string): unknown {
  if (!isMap(item)) throw patchError(`expected a map[string]interface {}, but received a ${goTypeName(item)}`);
  if (!Object.hasOwn(item, mergeKey)) {
    throw patchError(`map: ${goFormat(item)} does not contain declared merge key: ${mergeKey}`);
  }
  return item[mergeKey];
}

/** Splits a list into items that `order` names and the others. Without a merge key items are compared as they are. */
export function partitionByPresence(
  list: readonly unknown[],
  order: readonly unknown[],
  mergeKey: string,
): { present: unknown[]; others: unknown[] } {
  const keys = new Set<unknown>();
  if (list.length > 0) {
    order.forEach((item, i) => {
      if (mergeKey === "") keys.add(item);
      else if (!isMap(item)) throw patchError(`value for key ${i} is not a map`);
      else if (Object.hasOwn(item, mergeKey)) keys.add(item[mergeKey]);
    });
  }
  const present: unknown[] = [];
  const others: unknown[] = [];
  for (const item of list) {
    const key = mergeKey === "" ? item : requireMergeKey(item, mergeKey);
    (keys.has(key) ? present : others).push(item);
  }
  return { present, others };
}

/** Upstream's way: a repeated item is replaced by the last one, which changes the order. */
export function deduplicate(items: unknown[]): unknown[] {
  let end = items.length - 1;
  for (let i = 0; i < end; i++) {
    for (let j = i + 1; j <= end; j++) {
      if (items[i] !== items[j]) continue;
      items[j] = items[end];
      end--;
      j--;
    }
  }
  return items.slice(0, end + 1);
}

/**
 * Sorts the patch's items by `patchOrder` and the others by `serverOrder`, then puts the others in between the former
 * where the server's order says so.
 */
export function normalizeElementOrder(
  patchItems: unknown[],
  serverItems: unknown[],
  patchOrder: readonly unknown[],
  serverOrder: readonly unknown[],
  mergeKey: string,
  maps: boolean,
): unknown[] {
  const keyOf = (item: unknown): unknown => (maps ? (isMap(item) ? item[mergeKey] : undefined) : item);
  const right = sortBy(patchItems, patchOrder, keyOf, mergeKey, maps);
  const left = sortBy(serverItems, serverOrder, keyOf, mergeKey, maps);
  if (left.length === 0) return right;
  if (right.length === 0) return left;
  const place = places(serverOrder, keyOf);
  const merged: unknown[] = [];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    const l = i < left.length ? place.get(keyOf(left[i])) : undefined;
    const r = j < right.length ? place.get(keyOf(right[j])) : undefined;
    const takeLeft = j >= right.length || (i < left.length && l !== undefined && r !== undefined && l < r);
    merged.push(takeLeft ? left[i++] : right[j++]);
  }
  return merged;
}

function places(order: readonly unknown[], keyOf: (item: unknown) => unknown): Map<unknown, number> {
  const place = new Map<unknown, number>();
  order.forEach((item, i) => {
    if (!place.has(keyOf(item))) place.set(keyOf(item), i);
  });
  return place;
}

function sortBy(
  items: unknown[],
  order: readonly unknown[],
  keyOf: (item: unknown) => unknown,
  mergeKey: string,
  maps: boolean,
): unknown[] {
  if (!maps) return sortedByPlace(items, places(order, keyOf), keyOf);
  for (const item of items) requireMergeKey(item, mergeKey);
  for (const item of order) requireMergeKey(item, mergeKey);
  if (items.length === 0) return [];
  const isDeletion = (item: unknown): boolean => isMap(item) && item[DIRECTIVE] === "delete";
  if (!items.some(isDeletion)) return sortedByPlace(items, places(order, keyOf), keyOf);
  const kept = items.filter((item) => !isDeletion(item));
  return [...sortedByPlace(kept, places(order, keyOf), keyOf), ...items.filter(isDeletion)];
}

/** Upstream's comparison says "less" whenever one of two has no place, so that the way of sorting matters: by insertion. */
function sortedByPlace(
  items: readonly unknown[],
  place: ReadonlyMap<unknown, number>,
  keyOf: (item: unknown) => unknown,
): unknown[] {
  const sorted: unknown[] = [];
  for (const item of items) {
    const own = place.get(keyOf(item));
    let at = sorted.length;
    for (; at > 0; at--) {
      const before = place.get(keyOf(sorted[at - 1]));
      if (own !== undefined && before !== undefined && own >= before) break;
    }
    // To make room at the end takes a list for what was taken out: nothing.
    if (at === sorted.length) sorted.push(item);
    else sorted.splice(at, 0, item);
  }
  return sorted;
}
