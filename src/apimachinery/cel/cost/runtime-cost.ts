import { CelList, CelMap, type CelValue, LibraryValue, Optional, sizeOf } from "../values.ts";
import { AUTHORIZATION_CHECK_COST, LIST_COST, REGEX_FACTOR, STRING_FACTOR, STRUCT_COST } from "./factors.ts";

/** What a call cost, when its arguments and its result are known. The receiver of a method is the first argument. */
export type CallCost = (args: readonly CelValue[], result: CelValue) => number;

const one: CallCost = () => 1;
const firstOnce: CallCost = ([first = null]) => scan(first);
const firstTwice: CallCost = ([first = null]) => scan(first, 2);

/** By function: Kubernetes' libraries, from upstream's `library.CostEstimator`. Others are told by their overload. */
const BY_FUNCTION: Readonly<Record<string, CallCost>> = {
  check: () => AUTHORIZATION_CHECK_COST,
  fieldSelector: ([, selector = null]) => selectorCost(size(selector)),
  labelSelector: ([, selector = null]) => selectorCost(size(selector)),
  ...named("isSorted sum max min indexOf lastIndexOf includes", ([first = null]) => traversal(first)),
  ...named("url lowerAscii upperAscii substring trim jsonpatch.escapeKey", firstOnce),
  ...named("cidr isIP isCIDR quantity isQuantity semver isSemver", firstOnce),
  ...named("replace split ip.isCanonical", firstTwice),
  join: (_, result) => scan(result, 2),
  ...named("find findAll", ([text = null, pattern = null]) => match(size(text), size(pattern))),
  containsIP: ([cidr = null, other = null]) =>
    Math.ceil(size(cidr) * 2 * STRING_FACTOR) + (typeof other === "string" ? scan(other) : 0),
  containsCIDR: ([cidr = null, other = null]) =>
    Math.ceil(size(cidr) * 2 * STRING_FACTOR) + scan(cidr) + 1 + (typeof other === "string" ? scan(other) : 0),
  validate: ([format = null, text = null]) => match(size(text), size(format)),
};

function named(names: string, cost: CallCost): Record<string, CallCost> {
  return Object.fromEntries(names.split(" ").map((name) => [name, cost]));
}

/** How the cost of a call is told; `overload` is empty where several signatures may fit. cel-go's `CostTracker.costCall`. */
export function callCost(fn: string, overload: string): CallCost {
  if (fn === "ip") return overload === "cidr_ip" ? one : firstOnce;
  const byFunction = Object.hasOwn(BY_FUNCTION, fn) ? BY_FUNCTION[fn] : undefined;
  return listCost(overload) ?? byFunction ?? builtinCost(overload);
}

function builtinCost(overload: string): CallCost {
  switch (overload) {
    case "starts_with_string":
    case "ends_with_string":
    case "string_to_bytes":
    case "bytes_to_string":
    case "strings_quote":
    case "string_format":
      return firstOnce;
    case "in_list":
      return ([, list = null]) => size(list);
    case "add_string":
    case "add_bytes":
      return ([a = null, b = null]) => Math.ceil((size(a) + size(b)) * STRING_FACTOR);
    case "matches_string":
      return ([text = null, pattern = null]) => match(size(text), size(pattern));
    case "contains_string":
      return ([text = null, part = null]) => scan(text) * scan(part);
    default:
      return /^(equals|not_equals|(less|greater)(_equals)?_(string|bytes))$/.test(overload) ? comparison : one;
  }
}

function listCost(overload: string): CallCost | undefined {
  if (/^list_\w+_sort$/.test(overload)) return ([list = null]) => selfCompare(list);
  if (/^list_\w+_sortByAssociatedKeys$/.test(overload)) return ([, keys = null]) => selfCompare(keys);
  switch (overload) {
    case "list_slice":
    case "lists_range":
    case "list_reverse":
      return (_, result) => allocation(1, size(result));
    case "list_flatten":
    case "list_flatten_int":
      return ([list = null, depth = 1n]) => allocation(typeof depth === "bigint" ? Number(depth) : 1, size(list));
    case "list_distinct":
      return ([list = null]) => selfCompare(list);
    case "list_sets_contains_list":
    case "list_sets_intersects_list":
    case "list_sets_equivalent_list": {
      const factor = overload === "list_sets_equivalent_list" ? 2 : 1;
      return ([a = null, b = null]) => 1 + size(a) * size(b) * factor;
    }
    default:
      return undefined;
  }
}

function comparison([a = null, b = null]: readonly CelValue[]): number {
  // Library values are compared at once, whatever their size.
  return a instanceof LibraryValue ? 1 : Math.ceil(Math.min(size(a), size(b)) * STRING_FACTOR);
}

function size(value: CelValue): number {
  if (value instanceof Optional && value.value !== undefined) return size(value.value);
  return sizeOf(value) ?? 1;
}

function scan(value: CelValue, times = 1): number {
  return Math.ceil(size(value) * times * STRING_FACTOR);
}

function match(text: number, pattern: number): number {
  return Math.ceil((1 + text) * STRING_FACTOR) * Math.ceil(pattern * REGEX_FACTOR);
}

function selectorCost(length: number): number {
  return LIST_COST + Math.ceil(length * STRING_FACTOR) + Math.ceil(Math.ceil(length * 0.5) * (LIST_COST + STRUCT_COST));
}

function allocation(factor: number, length: number): number {
  return Math.ceil(length * factor) + LIST_COST + 1;
}

function selfCompare(value: CelValue): number {
  if (!(value instanceof CelList) || value.size === 0) return allocation(2, 0);
  const first = value.at(0);
  const text = typeof first === "string" || first instanceof Uint8Array;
  return allocation(text ? 2 + STRING_FACTOR : 2, value.size ** 2);
}

function traversal(value: CelValue): number {
  if (typeof value === "string") return Math.floor(new TextEncoder().encode(value).length * STRING_FACTOR);
  if (value instanceof Uint8Array) return Math.floor(value.length * STRING_FACTOR);
  let cost = 0;
  if (value instanceof CelList) for (const element of value) cost += traversal(element);
  else if (value instanceof CelMap) for (const key of value.keys()) cost += traversal(key) + traversal(value.find(key) ?? null);
  else return 1;
  return cost;
}
