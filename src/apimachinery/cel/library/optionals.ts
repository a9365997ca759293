import { type Declaration, declareFunction, declareMethod } from "../declarations.ts";
import { BOOL, listOf, optionalOf, typeParam } from "../types.ts";
import {
  ArrayList,
  CelError,
  CelList,
  CelMap,
  type CelValue,
  Duration,
  noSuchOverload,
  Optional,
  Timestamp,
  Uint,
} from "../values.ts";

const V = typeParam("V");
const NONE = new Optional(undefined);

/** cel-go's optional library (version 2). `or` and `orValue` are evaluated by the program itself. */
export const optionals: readonly Declaration[] = [
  declareFunction("optional.of", "optional_of", [V], optionalOf(V), ([value = null]) => new Optional(value)),
  declareFunction("optional.ofNonZeroValue", "optional_ofNonZeroValue", [V], optionalOf(V), ([value = null]) => {
    return isZero(value) ? NONE : new Optional(value);
  }),
  declareFunction("optional.none", "optional_none", [], optionalOf(V), () => NONE),
  declareMethod("value", "optional_value", [optionalOf(V)], V, ([optional]) => {
    const { value } = optional as Optional;
    if (value === undefined) throw new CelError("optional.none() dereference");
    return value;
  }),
  declareMethod(
    "hasValue",
    "optional_hasValue",
    [optionalOf(V)],
    BOOL,
    ([optional]) => (optional as Optional).value !== undefined,
  ),
  declareMethod("or", "optional_or_optional", [optionalOf(V), optionalOf(V)], optionalOf(V), unplanned),
  declareMethod("orValue", "optional_orValue_value", [optionalOf(V), V], V, unplanned),
  declareMethod("last", "list_last", [listOf(V)], optionalOf(V), ([list]) => at(list as CelList, (list as CelList).size - 1)),
  declareMethod("first", "list_first", [listOf(V)], optionalOf(V), ([list]) => at(list as CelList, 0)),
  declareFunction("optional.unwrap", "optional_unwrap", [listOf(optionalOf(V))], listOf(V), ([list]) => unwrap(list as CelList)),
  declareMethod("unwrapOpt", "optional_unwrapOpt", [listOf(optionalOf(V))], listOf(V), ([list]) => unwrap(list as CelList)),
];

function unplanned(): CelValue {
  throw noSuchOverload();
}

function at(list: CelList, index: number): Optional {
  return index < 0 || index >= list.size ? NONE : new Optional(list.at(index));
}

function unwrap(list: CelList): CelList {
  const values: CelValue[] = [];
  for (const element of list) {
    if (!(element instanceof Optional)) throw new CelError(`value ${String(element)} is not optional`);
    if (element.value !== undefined) values.push(element.value);
  }
  return new ArrayList(values);
}

function isZero(value: CelValue): boolean {
  if (value === null || value === false || value === 0 || value === 0n || value === "") return true;
  if (value instanceof CelList || value instanceof CelMap) return value.size === 0;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Uint8Array) return value.length === 0;
  if (value instanceof Duration) return value.nanos === 0n;
  if (value instanceof Timestamp) return value.nanos === -62_135_596_800_000_000_000n;
  return value instanceof Optional && value.value === undefined;
}
