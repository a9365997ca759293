import { JsonMembers, type JsonNode, JsonNumber, setOwn } from "./json-node.ts";
import { parseJsonNodes } from "./json-parse.ts";

/**
 * JSON whose whole numbers stay what they are: those beyond 2^53 that fit 64 bits are `bigint` in memory, all others `number`, as
 * Go's decoder tells int64 from float64. Texts without a long run of digits, and values without a `bigint`, cost nothing more
 * than `JSON` itself.
 */
export function parseExactJson(text: string): unknown {
  return LONG_NUMBER.test(text) ? exactValue(parseJsonNodes(text)) : (JSON.parse(text) as unknown);
}

/** Whole numbers of fewer digits are exact as they are. */
const LONG_NUMBER = /[0-9]{16}/;
const INTEGER = /^-?[0-9]{16,19}$/;
const INT64_MAX = 2n ** 63n - 1n;

/** Whether JSON text in UTF-8 may hold a number that is too long for a `number`. */
export function mayBeInexact(bytes: Uint8Array): boolean {
  let digits = 0;
  for (const byte of bytes) {
    if (byte < 48 || byte > 57) digits = 0;
    else if (++digits >= 16) return true;
  }
  return false;
}

/** The node as a value; the last of repeated members wins. */
export function exactValue(node: JsonNode): unknown {
  if (node instanceof JsonNumber) return exactNumber(node.text);
  if (node instanceof JsonMembers) {
    const out: Record<string, unknown> = {};
    for (const [key, value] of node.entries) setOwn(out, key, exactValue(value));
    return out;
  }
  return Array.isArray(node) ? node.map(exactValue) : node;
}

/** A number's literal as what holds it. */
export function exactNumber(text: string): number | bigint {
  const number = Number(text);
  if (Number.isSafeInteger(number) || !INTEGER.test(text)) return number;
  const integer = BigInt(text);
  return integer > INT64_MAX || integer < -INT64_MAX - 1n ? number : integer;
}

/** A `bigint` was met that `JSON.stringify` has written as the nearest `number`. */
let met = false;

// Without it a `bigint` could not be written at all, wherever the rounded number would do: logs, messages.
Object.defineProperty(BigInt.prototype, "toJSON", {
  value(this: bigint): number {
    met = true;
    return Number(this);
  },
  configurable: true,
  writable: true,
});

/** As `JSON.stringify` of a JSON value, with its whole numbers exact. */
export function exactJson(value: unknown): string {
  return writeExactJson(value).text;
}

/** As {@link exactJson}, and whether there was a number that needed it. */
export function writeExactJson(value: unknown): { readonly text: string; readonly exact: boolean } {
  met = false;
  const text = JSON.stringify(value);
  return met ? { text: write(value), exact: true } : { text, exact: false };
}

/** As {@link exactJson}, set out in lines of two blanks for each level. */
export function exactJsonInLines(value: unknown): string {
  met = false;
  const text = JSON.stringify(value, null, 2);
  return met ? writeLines(value, "\n") : text;
}

function write(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return `[${value.map((item) => write(item ?? null)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${membersOf(value)
    .map(([key, item]) => `${JSON.stringify(key)}:${write(item)}`)
    .join(",")}}`;
}

function writeLines(value: unknown, start: string): string {
  const inner = `${start}  `;
  if (Array.isArray(value) && value.length > 0) {
    return `[${inner}${value.map((item) => writeLines(item ?? null, inner)).join(`,${inner}`)}${start}]`;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return write(value);
  const members = membersOf(value).map(([key, item]) => `${JSON.stringify(key)}: ${writeLines(item, inner)}`);
  return members.length === 0 ? "{}" : `{${inner}${members.join(`,${inner}`)}${start}}`;
}

function membersOf(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, item]) => item !== undefined);
}
