import type { FieldPath } from "./field-path.ts";

/** Upstream's `field.ErrorType`: the `reason` of a Status cause. */
export type FieldErrorType =
  | "FieldValueNotFound"
  | "FieldValueRequired"
  | "FieldValueDuplicate"
  | "FieldValueInvalid"
  | "FieldValueNotSupported"
  | "FieldValueForbidden"
  | "FieldValueTooLong"
  | "FieldValueTooMany"
  | "InternalError"
  | "FieldValueTypeInvalid";

/** Nothing that is written otherwise between quotes: nearly all texts. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** One complaint about one field. `message` is upstream's ErrorBody; `Error()` is `field: message`. */
export interface FieldError {
  readonly type: FieldErrorType;
  readonly field: string;
  readonly message: string;
}

/** A value as Go's `%v`/`%q` of upstream's ErrorBody prints it: strings quoted, structs and lists as JSON, nil as `null`. */
export function formatBadValue(value: unknown): string {
  if (value === undefined || value === null) return "null";
  if (typeof value === "string") return goQuote(value);
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return String(value);
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, escapeForHtml);
}

/** Go's JSON may stand in a page. */
function escapeForHtml(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Go's `strconv.Quote` for the strings that API objects hold. */
export function goQuote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  let out = '"';
  for (const ch of text) {
    const code = ch.codePointAt(0) ?? 0;
    if (ch === '"' || ch === "\\") out += `\\${ch}`;
    else if (ch === "\n") out += "\\n";
    else if (ch === "\r") out += "\\r";
    else if (ch === "\t") out += "\\t";
    else if (code === 7) out += "\\a";
    else if (code === 8) out += "\\b";
    else if (code === 11) out += "\\v";
    else if (code === 12) out += "\\f";
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, "0")}`;
    else if (code >= 0x80 && !/^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(ch)) out += unicodeEscape(code);
    else out += ch;
  }
  return `${out}"`;
}

/** What Go's `IsPrint` does not hold for: controls, marks of direction, spaces but the ASCII one. */
function unicodeEscape(code: number): string {
  const hex = code.toString(16);
  return code > 0xffff ? `\\U${hex.padStart(8, "0")}` : `\\u${hex.padStart(4, "0")}`;
}

/** A value that must be given is absent. */
export function required(field: FieldPath, detail: string): FieldError {
  return { type: "FieldValueRequired", field: `${field}`, message: withDetail("Required value", detail) };
}
/** A value is given and wrong. */
export function invalid(field: FieldPath, value: unknown, detail: string): FieldError {
  return { type: "FieldValueInvalid", field: `${field}`, message: withDetail(`Invalid value: ${formatBadValue(value)}`, detail) };
}
/** A value that must be unique is given twice. */
export function duplicate(field: FieldPath, value: unknown): FieldError {
  return { type: "FieldValueDuplicate", field: `${field}`, message: `Duplicate value: ${formatBadValue(value)}` };
}
/** A value may not be given at all here. */
export function forbidden(field: FieldPath, detail: string): FieldError {
  return { type: "FieldValueForbidden", field: `${field}`, message: withDetail("Forbidden", detail) };
}
/** A value refers to something that is not there. */
export function notFound(field: FieldPath, value: unknown): FieldError {
  return { type: "FieldValueNotFound", field: `${field}`, message: `Not found: ${formatBadValue(value)}` };
}
/** Upstream sorts nothing: callers give `supported` in the order to print. */
export function notSupported(field: FieldPath, value: unknown, supported: readonly string[]): FieldError {
  const detail = supported.length > 0 ? `supported values: ${supported.map(goQuote).join(", ")}` : "";
  return {
    type: "FieldValueNotSupported",
    field: `${field}`,
    message: withDetail(`Unsupported value: ${formatBadValue(value)}`, detail),
  };
}
/** A text has more bytes than are allowed. */
export function tooLong(field: FieldPath, maxBytes: number): FieldError {
  return { type: "FieldValueTooLong", field: `${field}`, message: `Too long: may not be more than ${counted(maxBytes, "byte")}` };
}
/** A list has more items than are allowed. */
export function tooMany(field: FieldPath, actual: number, max: number): FieldError {
  return {
    type: "FieldValueTooMany",
    field: `${field}`,
    message: `Too many: ${actual}: must have at most ${counted(max, "item")}`,
  };
}
function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** Something failed that is not the fault of the value. */
export function internalError(field: FieldPath, text: string): FieldError {
  return { type: "InternalError", field: `${field}`, message: `Internal error: ${text}` };
}
/** A value is of a wrong type. */
export function typeInvalid(field: FieldPath, value: unknown, detail: string): FieldError {
  return {
    type: "FieldValueTypeInvalid",
    field: `${field}`,
    message: withDetail(`Invalid value: ${formatBadValue(value)}`, detail),
  };
}
function withDetail(head: string, detail: string): string {
  return detail === "" ? head : `${head}: ${detail}`;
}
