import { type Declaration, declareFunction, declareMethod } from "../declarations.ts";
import { BOOL, BYTES, DYN, INT, listOf, mapOf, STRING, typeParam } from "../types.ts";
import { ArrayList, CelError, type CelList, type CelValue, sizeOf } from "../values.ts";
import { formatString } from "./format-string.ts";

const A = typeParam("A");
const B = typeParam("B");

const size = ([value = null]: readonly CelValue[]): bigint => BigInt(sizeOf(value) ?? 0);

/** `size()`, and what the standard and cel-go's string library (version 2) do with strings, but for regular expressions. */
export const strings: readonly Declaration[] = [
  ...[
    ["bytes", BYTES] as const,
    ["list", listOf(A)] as const,
    ["map", mapOf(A, B)] as const,
    ["string", STRING] as const,
  ].flatMap(([word, type]) => [
    declareFunction("size", `size_${word}`, [type], INT, size),
    declareMethod("size", `${word}_size`, [type], INT, size),
  ]),
  declareMethod("contains", "contains_string", [STRING, STRING], BOOL, ([a, b]) => text(a).includes(text(b))),
  declareMethod("endsWith", "ends_with_string", [STRING, STRING], BOOL, ([a, b]) => text(a).endsWith(text(b))),
  declareMethod("startsWith", "starts_with_string", [STRING, STRING], BOOL, ([a, b]) => text(a).startsWith(text(b))),
  declareMethod("charAt", "string_char_at_int", [STRING, INT], STRING, ([a, at]) => charAt(chars(a), at as bigint)),
  declareMethod("indexOf", "string_index_of_string", [STRING, STRING], INT, ([a, b]) => indexOf(text(a), text(b), 0n)),
  declareMethod("indexOf", "string_index_of_string_int", [STRING, STRING, INT], INT, ([a, b, from]) => {
    return indexOf(text(a), text(b), from as bigint);
  }),
  declareMethod("lastIndexOf", "string_last_index_of_string", [STRING, STRING], INT, ([a, b]) => {
    return lastIndexOf(text(a), text(b), BigInt(chars(a).length));
  }),
  declareMethod("lastIndexOf", "string_last_index_of_string_int", [STRING, STRING, INT], INT, ([a, b, from]) => {
    return lastIndexOfFrom(text(a), text(b), from as bigint);
  }),
  declareMethod("lowerAscii", "string_lower_ascii", [STRING], STRING, ([a]) =>
    text(a).replace(/[A-Z]+/g, (found) => found.toLowerCase()),
  ),
  declareMethod("upperAscii", "string_upper_ascii", [STRING], STRING, ([a]) =>
    text(a).replace(/[a-z]+/g, (found) => found.toUpperCase()),
  ),
  declareMethod("replace", "string_replace_string_string", [STRING, STRING, STRING], STRING, ([a, old, by]) => {
    return replace(text(a), text(old), text(by), -1n);
  }),
  declareMethod("replace", "string_replace_string_string_int", [STRING, STRING, STRING, INT], STRING, ([a, old, by, n]) => {
    return replace(text(a), text(old), text(by), n as bigint);
  }),
  declareMethod("split", "string_split_string", [STRING, STRING], listOf(STRING), ([a, by]) => split(text(a), text(by), -1n)),
  declareMethod("split", "string_split_string_int", [STRING, STRING, INT], listOf(STRING), ([a, by, n]) => {
    return split(text(a), text(by), n as bigint);
  }),
  declareMethod("substring", "string_substring_int", [STRING, INT], STRING, ([a, from]) => {
    return substring(chars(a), from as bigint, undefined);
  }),
  declareMethod("substring", "string_substring_int_int", [STRING, INT, INT], STRING, ([a, from, to]) => {
    return substring(chars(a), from as bigint, to as bigint);
  }),
  declareMethod("trim", "string_trim", [STRING], STRING, ([a]) =>
    text(a).replace(/^[\p{White_Space}]+|(?<!\p{White_Space})[\p{White_Space}]+$/gu, ""),
  ),
  declareMethod("format", "string_format", [STRING, listOf(DYN)], STRING, ([a, list]) => formatString(text(a), list as CelList)),
  declareFunction("strings.quote", "strings_quote", [STRING], STRING, ([a]) => quote(text(a))),
  declareMethod("join", "list_join", [listOf(STRING)], STRING, ([list]) => join(list as CelList, "")),
  declareMethod("join", "list_join_string", [listOf(STRING), STRING], STRING, ([list, by]) => join(list as CelList, text(by))),
];

function text(value: CelValue | undefined): string {
  return value as string;
}

function chars(value: CelValue | undefined): string[] {
  return Array.from(value as string);
}

function outOfRange(at: bigint): CelError {
  return new CelError(`index out of range: ${at}`);
}

function charAt(all: readonly string[], at: bigint): string {
  if (at < 0n || at > all.length) throw outOfRange(at);
  return all[Number(at)] ?? "";
}

/** Where in code points a place in UTF-16 is. */
function pointsBefore(value: string, at: number): bigint {
  return at < 0 ? -1n : BigInt(sizeOf(value.slice(0, at)) ?? 0);
}

function unitsBefore(value: string, points: bigint): number {
  return Array.from(value).slice(0, Number(points)).join("").length;
}

function indexOf(value: string, part: string, from: bigint): bigint {
  if (part === "" && from === 0n) return 0n;
  if (part === "") return from;
  if (from < 0n || from > BigInt(sizeOf(value) ?? 0)) throw outOfRange(from);
  return pointsBefore(value, value.indexOf(part, unitsBefore(value, from)));
}

function lastIndexOf(value: string, part: string, from: bigint): bigint {
  if (part === "") return from;
  return pointsBefore(value, value.lastIndexOf(part, unitsBefore(value, from)));
}

function lastIndexOfFrom(value: string, part: string, from: bigint): bigint {
  if (part !== "" && (from < 0n || from >= BigInt(sizeOf(value) ?? 0))) throw outOfRange(from);
  return lastIndexOf(value, part, from);
}

function replace(value: string, old: string, by: string, count: bigint): string {
  if (count === 0n || old === by) return value;
  const parts = old === "" ? ["", ...Array.from(value), ""] : value.split(old);
  if (count < 0n || count >= parts.length - 1) return parts.join(by);
  const replaced = Number(count);
  return parts.slice(0, replaced + 1).join(by) + (old === "" ? "" : old) + parts.slice(replaced + 1).join(old);
}

function split(value: string, by: string, count: bigint): ArrayList {
  if (count === 0n) return new ArrayList([]);
  const parts = by === "" ? Array.from(value) : value.split(by);
  if (count < 0n || parts.length <= count) return new ArrayList(parts);
  const kept = Number(count) - 1;
  return new ArrayList([...parts.slice(0, kept), parts.slice(kept).join(by)]);
}

function substring(all: readonly string[], from: bigint, to: bigint | undefined): string {
  if (to !== undefined && from > to) throw new CelError(`invalid substring range. start: ${from}, end: ${to}`);
  if (from < 0n || from > all.length) throw outOfRange(from);
  if (to !== undefined && (to < 0n || to > all.length)) throw outOfRange(to);
  return all.slice(Number(from), to === undefined ? undefined : Number(to)).join("");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

function quote(value: string): string {
  return `"${Array.from(value, (char) => ESCAPES[char] ?? char).join("")}"`;
}

function join(list: CelList, by: string): string {
  const parts: string[] = [];
  for (const part of list) {
    if (typeof part !== "string") throw new CelError(`join: invalid input: ${part}`);
    parts.push(part);
  }
  return parts.join(by);
}
