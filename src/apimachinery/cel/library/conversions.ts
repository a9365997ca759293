import { type Declaration, declareFunction } from "../declarations.ts";
import { checkedTimestamp, durationText, floorDiv, parseDuration, parseTimestamp, SECOND, timestampText } from "../time-text.ts";
import { BOOL, BYTES, type CelType, DOUBLE, DURATION, DYN, INT, STRING, TIMESTAMP, typeOf, typeParam, UINT } from "../types.ts";
import { CelError, type CelValue, type Duration, runtimeTypeName, type Timestamp, TypeValue, Uint } from "../values.ts";
import { checkedInt, checkedUint, doubleText } from "./numbers.ts";

const A = typeParam("A");

/** `int(...)` and the like, and `type(...)` and `dyn(...)`. */
export const conversions: readonly Declaration[] = [
  convert("bool", "bool_to_bool", BOOL, BOOL, same),
  convert("bool", "string_to_bool", STRING, BOOL, (text: string) => BOOLS.get(text) ?? refuse(text, "bool")),
  convert("bytes", "bytes_to_bytes", BYTES, BYTES, same),
  convert("bytes", "string_to_bytes", STRING, BYTES, (text: string) => new TextEncoder().encode(text)),
  convert("double", "double_to_double", DOUBLE, DOUBLE, same),
  convert("double", "int64_to_double", INT, DOUBLE, (value: bigint) => Number(value)),
  convert("double", "string_to_double", STRING, DOUBLE, parseDouble),
  convert("double", "uint64_to_double", UINT, DOUBLE, ({ value }: Uint) => Number(value)),
  convert("duration", "duration_to_duration", DURATION, DURATION, same),
  convert(
    "duration",
    "string_to_duration",
    STRING,
    DURATION,
    (text: string) => parseDuration(text) ?? refuse(text, DURATION.name),
  ),
  convert("dyn", "to_dyn", A, DYN, same),
  convert("int", "int64_to_int64", INT, INT, same),
  convert("int", "double_to_int64", DOUBLE, INT, (value: number) => whole(value, "integer overflow", checkedInt)),
  convert("int", "duration_to_int64", DURATION, INT, ({ nanos }: Duration) => nanos),
  convert("int", "string_to_int64", STRING, INT, (text: string) => parseInt64(text) ?? refuse(text, "int")),
  convert("int", "timestamp_to_int64", TIMESTAMP, INT, ({ nanos }: Timestamp) => floorDiv(nanos, SECOND)),
  convert("int", "uint64_to_int64", UINT, INT, ({ value }: Uint) => checkedInt(value)),
  convert("string", "string_to_string", STRING, STRING, same),
  convert("string", "bool_to_string", BOOL, STRING, String),
  convert("string", "bytes_to_string", BYTES, STRING, decodeUtf8),
  convert("string", "double_to_string", DOUBLE, STRING, doubleText),
  convert("string", "duration_to_string", DURATION, STRING, durationText),
  convert("string", "int64_to_string", INT, STRING, String),
  convert("string", "timestamp_to_string", TIMESTAMP, STRING, timestampText),
  convert("string", "uint64_to_string", UINT, STRING, ({ value }: Uint) => String(value)),
  convert("timestamp", "timestamp_to_timestamp", TIMESTAMP, TIMESTAMP, same),
  convert("timestamp", "int64_to_timestamp", INT, TIMESTAMP, (seconds: bigint) => checkedTimestamp(seconds * SECOND, 0)),
  convert(
    "timestamp",
    "string_to_timestamp",
    STRING,
    TIMESTAMP,
    (text: string) => parseTimestamp(text) ?? refuse(text, TIMESTAMP.name),
  ),
  convert("type", "type", A, typeOf(A), (value: CelValue) => new TypeValue(runtimeTypeName(value))),
  convert("uint", "uint64_to_uint64", UINT, UINT, same),
  convert("uint", "double_to_uint64", DOUBLE, UINT, (value: number) => whole(value, "unsigned integer overflow", checkedUint)),
  convert("uint", "int64_to_uint64", INT, UINT, checkedUint),
  convert("uint", "string_to_uint64", STRING, UINT, (text: string) => {
    return /^\d+$/.test(text) && BigInt(text) < 2n ** 64n ? new Uint(BigInt(text)) : refuse(text, "uint");
  }),
];

const BOOLS: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "true", "TRUE", "True"].map((text) => [text, true] as const),
  ...["0", "f", "F", "false", "FALSE", "False"].map((text) => [text, false] as const),
]);

function convert<T extends CelValue>(
  name: string,
  id: string,
  from: CelType,
  to: CelType,
  run: (value: T) => CelValue,
): Declaration {
  return declareFunction(name, id, [from], to, ([value]) => run(value as T));
}

function same(value: CelValue): CelValue {
  return value;
}

function refuse(value: CelValue, to: string): never {
  throw new CelError(`type conversion error from '${runtimeTypeName(value)}' to '${to}'`);
}

function parseInt64(text: string): bigint | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const value = BigInt(text.startsWith("+") ? text.slice(1) : text);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function parseDouble(text: string): number {
  if (/^[+-]?(inf|infinity)$/i.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return Number.NaN;
  const value = /^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : refuse(text, "double");
}

function whole<T>(value: number, message: string, check: (value: bigint) => T): T {
  if (!Number.isFinite(value)) throw new CelError(message);
  return check(BigInt(Math.trunc(value)));
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CelError("invalid UTF-8 in bytes, cannot convert to string");
  }
}
