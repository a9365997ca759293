import { goQuote } from "../../validation/field-error.ts";
import { durationText, timestampText } from "../time-text.ts";
import { CelError, CelList, CelMap, type CelValue, Duration, runtimeTypeName, Timestamp, TypeValue, Uint } from "../values.ts";
import { parseFormat } from "./format-clauses.ts";
import { doubleText } from "./numbers.ts";

const PRECISION_DEFAULT = 6;

/** `string.format(list)`; cel-go's string library before its version 4. Throws a CelError with its text. */
export function formatString(format: string, args: CelList): string {
  const parts = parseFormat(format, args.size);
  if (parts instanceof Error) throw new CelError(parts.message);
  let at = 0;
  return parts.map((part) => (typeof part === "string" ? part : clause(part.verb, part.precision, args.at(at++)))).join("");
}

function clause(verb: string, precision: number | undefined, value: CelValue): string {
  switch (verb) {
    case "s":
      return text(value);
    case "d":
      return isInteger(value) ? String(integer(value)) : refuse("decimal clause can only be used on integers", value);
    case "f":
      return grouped(real(value, "fixed-point"), precision ?? PRECISION_DEFAULT);
    case "e":
      return scientific(real(value, "scientific"), precision ?? PRECISION_DEFAULT);
    case "b":
      if (typeof value === "boolean") return value ? "1" : "0";
      return isInteger(value) ? integer(value).toString(2) : refuse("only integers and bools can be formatted as binary", value);
    case "o":
      return isInteger(value) ? integer(value).toString(8) : refuse("octal clause can only be used on integers", value);
    default:
      return verb === "X" ? hex(value).toUpperCase() : hex(value);
  }
}

function refuse(message: string, value: CelValue): never {
  throw new CelError(`error during formatting: ${message}, was given ${runtimeTypeName(value)}`);
}

function isInteger(value: CelValue): value is bigint | Uint {
  return typeof value === "bigint" || value instanceof Uint;
}

function integer(value: bigint | Uint): bigint {
  return value instanceof Uint ? value.value : value;
}

function hex(value: CelValue): string {
  if (isInteger(value)) return integer(value).toString(16);
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  if (!(bytes instanceof Uint8Array)) return refuse("only integers, byte buffers, and strings can be formatted as hex", value);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const NAMED: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

function real(value: CelValue, word: string): number {
  if (typeof value === "number") return value;
  const named = typeof value === "string" && Object.hasOwn(NAMED, value) ? NAMED[value] : undefined;
  return named ?? refuse(`${word} clause can only be used on doubles`, value);
}

/** As golang.org/x/text prints numbers for en-US. */
function grouped(value: number, precision: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value < 0 ? "-∞" : "∞";
  const [whole = "", fraction] = fixed(value, precision).split(".");
  const separated = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return fraction === undefined ? separated : `${separated}.${fraction}`;
}

function fixed(value: number, precision: number): string {
  return Math.abs(value) < 1e21
    ? value.toFixed(Math.min(precision, 100))
    : `${BigInt(value)}${precision > 0 ? `.${"0".repeat(precision)}` : ""}`;
}

function scientific(value: number, precision: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value < 0 ? "-∞" : "∞";
  const [digits = "", exponent = "0"] = value.toExponential(Math.min(precision, 100)).split("e");
  const power = Number(exponent);
  const superscript = `${power < 0 ? "-" : ""}${String(Math.abs(power)).padStart(2, "0")}`.replace(
    /[-\d]/g,
    (char) => SUPERSCRIPTS[char] ?? char,
  );
  return `${digits}\u202f×\u202f10${superscript}`;
}

const SUPERSCRIPTS: Readonly<Record<string, string>> = Object.fromEntries(
  Array.from("0123456789-").map((char, index) => [char, Array.from("⁰¹²³⁴⁵⁶⁷⁸⁹⁻")[index] ?? char]),
);

function text(value: CelValue): string {
  if (value instanceof CelList) return `[${Array.from(value, nested).join(", ")}]`;
  if (value instanceof CelMap) return mapText(value);
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Duration) return durationText(value);
  if (value instanceof TypeValue) return value.name;
  if (isInteger(value)) return String(integer(value));
  if (typeof value === "number") return doubleText(value);
  if (value === null || typeof value === "boolean" || typeof value === "string") return String(value);
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  const kinds = "strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps";
  return refuse(`string clause can only be used on ${kinds}`, value);
}

function mapText(map: CelMap): string {
  const pairs = Array.from(map.keys(), (key) => {
    const shown = typeof key === "string" ? goQuote(key) : text(key);
    return [shown, nested(map.find(key) ?? null)] as const;
  });
  pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${pairs.map(([key, value]) => `${key}:${value}`).join(", ")}}`;
}

/** A value within a list or a map, as an expression would write it. */
function nested(value: CelValue): string {
  if (typeof value === "string") return goQuote(value);
  if (value instanceof Uint8Array) return `b${goQuote(new TextDecoder().decode(value))}`;
  if (value instanceof Timestamp) return `timestamp(${goQuote(timestampText(value))})`;
  if (value instanceof Duration) return `duration(${goQuote(durationText(value))})`;
  if (typeof value !== "number") return nestedText(value);
  if (Number.isFinite(value)) return fixed(value, PRECISION_DEFAULT);
  return goQuote(doubleText(value));
}

function nestedText(value: CelValue): string {
  const name = runtimeTypeName(value);
  const known = ["int", "uint", "bool", "null_type", "type", "list", "map"].includes(name);
  if (!known) throw new CelError(`error during formatting: no formatting function for ${name}`);
  return text(value);
}
