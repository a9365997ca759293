import { compare, equal } from "../comparison.ts";
import { type Declaration, declareFunction, type Implementation } from "../declarations.ts";
import { indexValue, truth } from "../operations.ts";
import { checkedTimestamp } from "../time-text.ts";
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
  optionalOf,
  STRING,
  TIMESTAMP,
  typeParam,
  UINT,
} from "../types.ts";
import { CelError, type CelList, type CelMap, type CelValue, Duration, noSuchOverload, type Timestamp, Uint } from "../values.ts";
import { checkedInt, checkedUint } from "./numbers.ts";

const A = typeParam("A");
const B = typeParam("B");

type Ordered = readonly [string, CelType];

const ORDERED: readonly Ordered[] = [
  ["bool", BOOL],
  ["int64", INT],
  ["uint64", UINT],
  ["double", DOUBLE],
  ["string", STRING],
  ["bytes", BYTES],
  ["timestamp", TIMESTAMP],
  ["duration", DURATION],
];

const NUMBERS: readonly Ordered[] = ORDERED.slice(1, 4);

/** The operators of the language, under the names that upstream's messages give them. Those that decide themselves what to evaluate have no implementation. */
export const operators: readonly Declaration[] = [
  declareFunction("_?_:_", "conditional", [BOOL, A, A], A, unplanned),
  declareFunction("_&&_", "logical_and", [BOOL, BOOL], BOOL, unplanned),
  declareFunction("_||_", "logical_or", [BOOL, BOOL], BOOL, unplanned),
  declareFunction("!_", "logical_not", [BOOL], BOOL, ([value = null]) => !truth(value)),
  declareFunction("@not_strictly_false", "not_strictly_false", [BOOL], BOOL, unplanned),
  declareFunction("_==_", "equals", [A, A], BOOL, ([a = null, b = null]) => equal(a, b)),
  declareFunction("_!=_", "not_equals", [A, A], BOOL, ([a = null, b = null]) => !equal(a, b)),
  ...arithmetic(),
  ...ordering("_<_", "less", (order) => order < 0),
  ...ordering("_<=_", "less_equals", (order) => order <= 0),
  ...ordering("_>_", "greater", (order) => order > 0),
  ...ordering("_>=_", "greater_equals", (order) => order >= 0),
  declareFunction("_[_]", "index_list", [listOf(A), INT], A, unplanned),
  declareFunction("_[_]", "index_map", [mapOf(A, B), A], B, unplanned),
  declareFunction("_[_]", "optional_list_index_int", [optionalOf(listOf(B)), INT], optionalOf(B), unplanned),
  declareFunction("_[_]", "optional_map_index_value", [optionalOf(mapOf(A, B)), A], optionalOf(B), unplanned),
  declareFunction("_[?_]", "list_optindex_optional_int", [listOf(B), INT], optionalOf(B), unplanned),
  declareFunction("_[?_]", "optional_list_optindex_optional_int", [optionalOf(listOf(B)), INT], optionalOf(B), unplanned),
  declareFunction("_[?_]", "map_optindex_optional_value", [mapOf(A, B), A], optionalOf(B), unplanned),
  declareFunction("_[?_]", "optional_map_optindex_optional_value", [optionalOf(mapOf(A, B)), A], optionalOf(B), unplanned),
  declareFunction("_?._", "select_optional_field", [DYN, STRING], optionalOf(B), ([value = null, key = null]) =>
    indexValue(value, key, true),
  ),
  declareFunction("@in", "in_list", [A, listOf(A)], BOOL, ([value = null, list]) => inList(value, list as CelList)),
  declareFunction("@in", "in_map", [A, mapOf(A, B)], BOOL, ([key = null, map]) => (map as CelMap).find(key) !== undefined),
];

function unplanned(): CelValue {
  throw noSuchOverload();
}

function inList(value: CelValue, list: CelList): boolean {
  for (const element of list) if (equal(element, value)) return true;
  return false;
}

/** Values of one type are compared with each other, and numbers with numbers. */
function ordering(name: string, word: string, holds: (order: number) => boolean): Declaration[] {
  const run: Implementation = ([a = null, b = null]) => holds(compare(a, b));
  const same = ORDERED.map(([type, of]) => declareFunction(name, `${word}_${type}`, [of, of], BOOL, run));
  const mixed = NUMBERS.flatMap(([a, left]) =>
    NUMBERS.filter(([b]) => a !== b).map(([b, right]) => declareFunction(name, `${word}_${a}_${b}`, [left, right], BOOL, run)),
  );
  return [...same, ...mixed];
}

function binary<T extends CelValue>(name: string, id: string, type: CelType, run: (a: T, b: T) => CelValue): Declaration {
  return declareFunction(name, id, [type, type], type, ([a, b]) => run(a as T, b as T));
}

function arithmetic(): Declaration[] {
  const ints: Declaration[] = [
    binary<bigint>("_+_", "add_int64", INT, (a, b) => checkedInt(a + b)),
    binary<bigint>("_-_", "subtract_int64", INT, (a, b) => checkedInt(a - b)),
    binary<bigint>("_*_", "multiply_int64", INT, (a, b) => checkedInt(a * b)),
    binary<bigint>("_/_", "divide_int64", INT, (a, b) => checkedInt(a / divisor(b, "division by zero"))),
    binary<bigint>("_%_", "modulo_int64", INT, (a, b) => a % divisor(b, "modulus by zero")),
    declareFunction("-_", "negate_int64", [INT], INT, ([a]) => checkedInt(-(a as bigint))),
  ];
  const uints: Declaration[] = [
    binary<Uint>("_+_", "add_uint64", UINT, (a, b) => checkedUint(a.value + b.value)),
    binary<Uint>("_-_", "subtract_uint64", UINT, (a, b) => checkedUint(a.value - b.value)),
    binary<Uint>("_*_", "multiply_uint64", UINT, (a, b) => checkedUint(a.value * b.value)),
    binary<Uint>("_/_", "divide_uint64", UINT, (a, b) => new Uint(a.value / divisor(b.value, "division by zero"))),
    binary<Uint>("_%_", "modulo_uint64", UINT, (a, b) => new Uint(a.value % divisor(b.value, "modulus by zero"))),
  ];
  const doubles: Declaration[] = [
    binary<number>("_+_", "add_double", DOUBLE, (a, b) => a + b),
    binary<number>("_-_", "subtract_double", DOUBLE, (a, b) => a - b),
    binary<number>("_*_", "multiply_double", DOUBLE, (a, b) => a * b),
    binary<number>("_/_", "divide_double", DOUBLE, (a, b) => a / b),
    declareFunction("-_", "negate_double", [DOUBLE], DOUBLE, ([a]) => -(a as number)),
  ];
  const texts: Declaration[] = [
    binary<string>("_+_", "add_string", STRING, (a, b) => a + b),
    binary<Uint8Array>("_+_", "add_bytes", BYTES, (a, b) => new Uint8Array([...a, ...b])),
    binary<CelList>("_+_", "add_list", listOf(A), (a, b) => a.plus(b)),
  ];
  return [...ints, ...uints, ...doubles, ...texts, ...times()];
}

function divisor(value: bigint, message: string): bigint {
  if (value === 0n) throw new CelError(message);
  return value;
}

function times(): Declaration[] {
  const shift = (moment: unknown, by: bigint) => {
    const { nanos, offsetSeconds } = moment as Timestamp;
    return checkedTimestamp(nanos + by, offsetSeconds);
  };
  const nanos = (value: unknown) => (value as Duration | Timestamp).nanos;
  return [
    binary<Duration>("_+_", "add_duration_duration", DURATION, (a, b) => new Duration(checkedInt(a.nanos + b.nanos))),
    declareFunction("_+_", "add_duration_timestamp", [DURATION, TIMESTAMP], TIMESTAMP, ([a, b]) => shift(b, nanos(a))),
    declareFunction("_+_", "add_timestamp_duration", [TIMESTAMP, DURATION], TIMESTAMP, ([a, b]) => shift(a, nanos(b))),
    binary<Duration>("_-_", "subtract_duration_duration", DURATION, (a, b) => new Duration(checkedInt(a.nanos - b.nanos))),
    declareFunction("_-_", "subtract_timestamp_duration", [TIMESTAMP, DURATION], TIMESTAMP, ([a, b]) => shift(a, -nanos(b))),
    declareFunction("_-_", "subtract_timestamp_timestamp", [TIMESTAMP, TIMESTAMP], DURATION, ([a, b]) => {
      return new Duration(checkedInt(nanos(a) - nanos(b)));
    }),
  ];
}
