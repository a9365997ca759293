import { goQuote } from "../validation/field-error.ts";

/** The name Go's reflect gives to a decoded JSON value. */
export function goTypeName(value: unknown): string {
  if (value === null || value === undefined) return "%!s(<nil>)";
  if (Array.isArray(value)) return "[]interface {}";
  switch (typeof value) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "number":
      return Number.isInteger(value) ? "int64" : "float64";
    default:
      return "map[string]interface {}";
  }
}

/** A decoded JSON value as Go's `%v` prints it: `map[a:1 b:[x y]]`, keys sorted. */
export function goFormat(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(goFormat).join(" ")}]`;
  if (typeof value === "object") {
    const map = value as Record<string, unknown>;
    const entries = Object.keys(map).sort();
    return `map[${entries.map((key) => `${key}:${goFormat(map[key])}`).join(" ")}]`;
  }
  return String(value);
}

/** A scalar as Go's `%s` prints it: anything but a string is wrapped in a complaint. */
export function goFormatAsString(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return "%!s(<nil>)";
  if (typeof value === "number" || typeof value === "boolean") return `%!s(${goTypeName(value)}=${String(value)})`;
  return goFormat(value);
}

/** What Go's JSON decoder calls the kind of a value. */
export function jsonKind(value: unknown): "object" | "array" | "string" | "number" | "bool" | "null" {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return typeof value === "string" ? "string" : typeof value === "number" ? "number" : "object";
}

/** A decoded JSON value as Go's `%#v` prints it, types and all. */
export function goSyntax(value: unknown): string {
  if (value === null || value === undefined) return "interface {}(nil)";
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(", ")}}`;
  if (typeof value === "object") {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[string]interface {}{${entries.map(([key, item]) => `${goQuote(key)}:${goSyntax(item)}`).join(", ")}}`;
  }
  return typeof value === "string" ? goQuote(value) : String(value);
}
