import { parseJsonNodes } from "#apimachinery/schema/json-parse.ts";

/** What an annotation's text stands for, or why Go cannot read it. */
export interface JsonAnnotation {
  readonly value?: unknown;
  readonly message?: string;
}

/** Reads a value that was kept as text, as Go reads it into `goType`; null is as good as nothing. */
export function jsonValueErrors(text: string, kind: "array" | "object", goType: string): JsonAnnotation {
  try {
    parseJsonNodes(text);
    const value: unknown = JSON.parse(text);
    const actual = kindOf(value);
    if (value === null) return {};
    return actual === kind ? { value } : { message: `json: cannot unmarshal ${actual} into Go value of type ${goType}` };
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error) };
  }
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}
