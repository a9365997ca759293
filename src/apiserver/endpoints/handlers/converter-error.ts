import { decodeObject } from "#apimachinery/schema/decode.ts";
import { DecodeError } from "#apimachinery/schema/exact-decode.ts";
import type { ScalarSchema, StructSchema, TypeSchema } from "#apimachinery/schema/type-schema.ts";

const GO_TYPES: Readonly<Record<string, string>> = {
  string: "string",
  bool: "bool",
  int32: "int32",
  int64: "int64",
  uint8: "uint8",
  float64: "float64",
};

/**
 * Why a value does not fit its type, in the words of upstream's unstructured converter, which reads the results of
 * strategic merge patches. `fallback` is the decoder's own message.
 */
export function converterError(schema: TypeSchema, value: unknown, fallback: string): string {
  return mismatch(schema, value) ?? fallback;
}

function mismatch(schema: TypeSchema, value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  switch (schema.kind) {
    case "struct":
      return structMismatch(schema, value);
    case "list":
      if (!Array.isArray(value)) return `cannot restore slice from ${goKind(value)}`;
      return first(value, (item) => mismatch(schema.element, item));
    case "map":
      if (!isMap(value)) return `cannot restore map from ${goKind(value)}`;
      return first(Object.values(value), (item) => mismatch(schema.value, item));
    case "scalar":
      return scalarMismatch(schema, value);
    default:
      return undefined;
  }
}

function structMismatch(schema: StructSchema, value: unknown): string | undefined {
  if (!isMap(value)) return `cannot restore struct from: ${goKind(value)}`;
  return first([...schema.fields.values()], (field) => mismatch(field.type, value[field.name]));
}

function scalarMismatch(schema: ScalarSchema, value: unknown): string | undefined {
  const wanted = GO_TYPES[schema.format];
  if (wanted === undefined) return selfReading(schema, value);
  const given = goKind(value);
  if (wanted === given || (wanted.includes("int") && given === "int64")) return undefined;
  if (wanted === "float64" && given === "int64") return undefined;
  return `cannot convert ${given} to ${wanted}`;
}

/** Times, quantities and bytes read themselves, with their own messages. */
function selfReading(schema: ScalarSchema, value: unknown): string | undefined {
  const field = { name: "x", type: schema, pointer: true, omitEmpty: true, required: false } as never;
  const wrapper: StructSchema = { kind: "struct", name: "", fields: new Map([["x", field]]), structType: "granular" };
  try {
    decodeObject(wrapper, { x: value });
    return undefined;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return schema.format === "bytes" ? `error decoding from json: ${error.message}` : error.message;
  }
}

function first<T>(items: readonly T[], check: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = check(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function goKind(value: unknown): string {
  if (Array.isArray(value)) return "slice";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  if (typeof value === "boolean") return "bool";
  return typeof value === "string" ? "string" : "map";
}
