import { compare, equal } from "../comparison.ts";
import { type Declaration, declareFunction, declareMethod } from "../declarations.ts";
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  STRING,
  TIMESTAMP,
  typeParam,
  UINT,
} from "../types.ts";
import {
  ArrayList,
  CelError,
  CelList,
  type CelMap,
  type CelValue,
  Duration,
  EntryMap,
  runtimeTypeName,
  Uint,
} from "../values.ts";
import { checkedInt, checkedUint } from "./numbers.ts";

const T = typeParam("T");
const A = typeParam("A");
const K = typeParam("K");
const V = typeParam("V");

const COMPARABLE: readonly (readonly [string, CelType])[] = [
  ["int", INT],
  ["uint", UINT],
  ["double", DOUBLE],
  ["bool", BOOL],
  ["duration", DURATION],
  ["timestamp", TIMESTAMP],
  ["string", STRING],
  ["bytes", BYTES],
];

type Sum = readonly [string, CelType, CelValue, (a: CelValue, b: CelValue) => CelValue];

const SUMMABLE: readonly Sum[] = [
  ["int", INT, 0n, (a, b) => checkedInt((a as bigint) + (b as bigint))],
  ["uint", UINT, new Uint(0n), (a, b) => checkedUint((a as Uint).value + (b as Uint).value)],
  ["double", DOUBLE, 0, (a, b) => (a as number) + (b as number)],
  ["duration", DURATION, new Duration(0n), (a, b) => new Duration(checkedInt((a as Duration).nanos + (b as Duration).nanos))],
];

/** Kubernetes' list library (as of v1.36: without `includes`). */
export const kubernetesLists: readonly Declaration[] = [
  ...COMPARABLE.flatMap(([word, type]) => [
    declareMethod("isSorted", `list_${word}_is_sorted_bool`, [listOf(type)], BOOL, ([list]) => isSorted(list as CelList)),
    declareMethod("max", `list_${word}_max_${word}`, [listOf(type)], type, ([list]) => extreme("max", list as CelList, -1)),
    declareMethod("min", `list_${word}_min_${word}`, [listOf(type)], type, ([list]) => extreme("min", list as CelList, 1)),
  ]),
  ...SUMMABLE.map(([word, type, zero, plus]) =>
    declareMethod("sum", `list_${word}_sum_${word}`, [listOf(type)], type, ([list]) =>
      Array.from(list as CelList).reduce(plus, zero),
    ),
  ),
  declareMethod("indexOf", "list_a_index_of_int", [listOf(A), A], INT, ([list, value = null]) => {
    return BigInt(Array.from(list as CelList).findIndex((element) => equal(element, value)));
  }),
  declareMethod("lastIndexOf", "list_a_last_index_of_int", [listOf(A), A], INT, ([list, value = null]) => {
    return BigInt(Array.from(list as CelList).findLastIndex((element) => equal(element, value)));
  }),
];

/** cel-go's list library (version 3), set library and what two-variable comprehensions call. */
export const extendedLists: readonly Declaration[] = [
  declareMethod("slice", "list_slice", [listOf(T), INT, INT], listOf(T), ([list, from, to]) => {
    return slice(list as CelList, from as bigint, to as bigint);
  }),
  declareMethod("flatten", "list_flatten", [listOf(listOf(T))], listOf(T), ([list]) => flatten(list as CelList, 1n)),
  declareMethod("flatten", "list_flatten_int", [listOf(DYN), INT], listOf(DYN), ([list, depth]) =>
    flatten(list as CelList, depth as bigint),
  ),
  ...COMPARABLE.flatMap(([word, type]) => [
    declareMethod("sort", `list_${word}_sort`, [listOf(type)], listOf(type), ([list]) => sort(list as CelList, list as CelList)),
    declareMethod(
      "@sortByAssociatedKeys",
      `list_${word}_sortByAssociatedKeys`,
      [listOf(T), listOf(type)],
      listOf(T),
      ([list, keys]) => {
        return sort(list as CelList, keys as CelList);
      },
    ),
  ]),
  declareFunction("lists.range", "lists_range", [INT], listOf(INT), ([count]) => range(count as bigint)),
  declareMethod("reverse", "list_reverse", [listOf(T)], listOf(T), ([list]) => new ArrayList([...(list as CelList)].reverse())),
  declareMethod("distinct", "list_distinct", [listOf(T)], listOf(T), ([list]) => distinct(list as CelList)),
  declareFunction("sets.contains", "list_sets_contains_list", [listOf(T), listOf(T)], BOOL, ([a, b]) =>
    contains(a as CelList, b as CelList),
  ),
  declareFunction("sets.equivalent", "list_sets_equivalent_list", [listOf(T), listOf(T)], BOOL, ([a, b]) => {
    return contains(a as CelList, b as CelList) && contains(b as CelList, a as CelList);
  }),
  declareFunction("sets.intersects", "list_sets_intersects_list", [listOf(T), listOf(T)], BOOL, ([a, b]) => {
    return Array.from(a as CelList).some((element) => includes(b as CelList, element));
  }),
  declareFunction(
    "cel.@mapInsert",
    "@mapInsert_map_key_value",
    [mapOf(K, V), K, V],
    mapOf(K, V),
    ([map, key = null, value = null]) => {
      return insert(map as CelMap, [[key, value]]);
    },
  ),
  declareFunction("cel.@mapInsert", "@mapInsert_map_map", [mapOf(K, V), mapOf(K, V)], mapOf(K, V), ([map, more]) => {
    return insert(map as CelMap, entries(more as CelMap));
  }),
];

function isSorted(list: CelList): boolean {
  for (let at = 1; at < list.size; at++) if (compare(list.at(at - 1), list.at(at)) > 0) return false;
  return true;
}

function extreme(name: string, list: CelList, sign: 1 | -1): CelValue {
  if (list.size === 0) throw new CelError(`${name} called on empty list`);
  let best = list.at(0);
  for (const element of list) if (compare(best, element) * sign > 0) best = element;
  return best;
}

function slice(list: CelList, from: bigint, to: bigint): CelList {
  const refuse = (why: string): never => {
    throw new CelError(`cannot slice(${from}, ${to}), ${why}`);
  };
  if (from < 0n || to < 0n) return refuse("negative indexes not supported");
  if (from > to) return refuse("start index must be less than or equal to end index");
  if (to > list.size) return refuse(`list is length ${list.size}`);
  return new ArrayList(Array.from(list).slice(Number(from), Number(to)));
}

function flatten(list: CelList, depth: bigint): CelList {
  if (depth < 0n) throw new CelError("level must be non-negative");
  const flat: CelValue[] = [];
  const walk = (part: CelList, left: bigint): void => {
    for (const element of part) {
      if (left > 0n && element instanceof CelList) walk(element, left - 1n);
      else flat.push(element);
    }
  };
  walk(list, depth);
  return new ArrayList(flat);
}

function sort(list: CelList, keys: CelList): CelList {
  if (list.size !== keys.size) {
    const sizes = `${list.size} and ${keys.size} elements respectively`;
    throw new CelError(`@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got ${sizes}`);
  }
  if (list.size === 0) return list;
  const type = runtimeTypeName(keys.at(0));
  const pairs = Array.from(keys, (key, at) => [key, list.at(at)] as const);
  if (pairs.some(([key]) => runtimeTypeName(key) !== type)) throw new CelError("list elements must have the same type");
  pairs.sort(([a], [b]) => compare(a, b));
  return new ArrayList(pairs.map(([, value]) => value));
}

/** Elements that `lists.range` makes at most: its cost is known only when it is made. */
const RANGE_MAX = 1_000_000n;

function range(count: bigint): CelList {
  if (count > RANGE_MAX) throw new CelError(`lists.range: ${count} elements are too many`);
  return new ArrayList(Array.from({ length: count < 0n ? 0 : Number(count) }, (_, at) => BigInt(at)));
}

function distinct(list: CelList): CelList {
  const seen: CelValue[] = [];
  const quick = new Set<CelValue>();
  for (const element of list) {
    if (typeof element === "string" || typeof element === "boolean") {
      if (quick.has(element)) continue;
      quick.add(element);
    } else if (seen.some((other) => equal(element, other))) continue;
    seen.push(element);
  }
  return new ArrayList(seen);
}

function includes(list: CelList, value: CelValue): boolean {
  for (const element of list) if (equal(element, value)) return true;
  return false;
}

function contains(list: CelList, part: CelList): boolean {
  return Array.from(part).every((element) => includes(list, element));
}

function* entries(map: CelMap): Iterable<readonly [CelValue, CelValue]> {
  for (const key of map.keys()) yield [key, map.find(key) ?? null];
}

function insert(map: CelMap, more: Iterable<readonly [CelValue, CelValue]>): CelMap {
  const added = [...more];
  for (const [key] of added)
    if (map.find(key) !== undefined) throw new CelError(`insert failed: key ${String(key)} already exists`);
  return new EntryMap([...entries(map), ...added]);
}
