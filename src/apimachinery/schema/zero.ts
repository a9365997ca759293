import type { FieldSchema, StructSchema, TypeSchema } from "./type-schema.ts";

/** A field that gets a value even where none was given. */
export interface ZeroField {
  readonly name: string;
  readonly make: () => unknown;
}

const decoded = new WeakMap<StructSchema, readonly ZeroField[]>();
const encoded = new WeakMap<StructSchema, readonly ZeroField[]>();

/**
 * Fields that are there after decoding in any case: structs that Go holds by value, and the zero values of scalars without
 * `omitempty`. Lists, maps, times and raw values that were not given stay absent, as Go's nil: messages tell them from empty.
 */
export function decodedZeros(schema: StructSchema): readonly ZeroField[] {
  return cached(decoded, schema, (field) => {
    if (field.pointer) return undefined;
    const { type } = field;
    if (type.kind === "struct") return () => zeroStruct(type);
    if (field.omitEmpty) return undefined;
    switch (type.kind) {
      case "list":
      case "map":
      case "raw":
        return undefined;
      case "scalar":
        if (type.format === "time" || type.format === "micro-time" || type.format === "bytes") return undefined;
        return () => zeroElement(type);
    }
  });
}

/**
 * Fields that Go's encoder writes in any case, with what it writes for their zero values: null for lists, maps, times and
 * pointers without `omitempty`, and all values held by value that Go does not regard as empty (structs, quantities).
 */
export function encodedZeros(schema: StructSchema): readonly ZeroField[] {
  return cached(encoded, schema, (field) => {
    if (field.pointer) return field.omitEmpty ? undefined : () => null;
    const { type } = field;
    if (type.kind === "struct") return () => encodedZeroStruct(type);
    if (field.omitZero || (field.omitEmpty && !isGoStruct(type))) return undefined;
    if (type.kind === "scalar" && type.format !== "time" && type.format !== "micro-time" && type.format !== "bytes") {
      return () => zeroElement(type);
    }
    return () => null;
  });
}

/** Built-in types that Go holds as structs, so that `omitempty` does not leave them out. */
export function isGoStruct(type: TypeSchema): boolean {
  if (type.kind === "raw") return type.name.endsWith(".RawExtension");
  if (type.kind !== "scalar") return false;
  return ["quantity", "time", "micro-time", "duration", "int-or-string"].includes(type.format);
}

function cached(
  cache: WeakMap<StructSchema, readonly ZeroField[]>,
  schema: StructSchema,
  zeroOf: (field: FieldSchema) => (() => unknown) | undefined,
): readonly ZeroField[] {
  const known = cache.get(schema);
  if (known !== undefined) return known;
  const zeros: ZeroField[] = [];
  for (const field of schema.fields.values()) {
    const make = zeroOf(field);
    if (make !== undefined) zeros.push({ name: field.name, make });
  }
  cache.set(schema, zeros);
  return zeros;
}

function zeroStruct(schema: StructSchema): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const zero of decodedZeros(schema)) out[zero.name] = zero.make();
  return out;
}

function encodedZeroStruct(schema: StructSchema): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const zero of encodedZeros(schema)) out[zero.name] = zero.make();
  return out;
}

/** What null is as an element of a list or map. */
export function zeroElement(schema: TypeSchema): unknown {
  switch (schema.kind) {
    case "struct":
      return zeroStruct(schema);
    case "list":
    case "map":
    case "raw":
      return null;
    case "scalar":
      break;
  }
  switch (schema.format) {
    case "string":
      return "";
    case "bool":
      return false;
    case "quantity":
      return "0";
    case "duration":
      return "0s";
    case "time":
    case "micro-time":
    case "bytes":
      return null;
    default:
      return 0;
  }
}

/** Whether decoding drops the value: what Go cannot tell from none. Lists and maps that are given stay, though empty. */
export function isDropped(field: FieldSchema, value: unknown): boolean {
  const { kind } = field.type;
  return kind === "list" || kind === "map" ? value === undefined || value === null : isOmitted(field, value);
}

function isOmitted(field: FieldSchema, value: unknown): boolean {
  if (value === undefined) return true;
  // A pointer to Go's zero time is there, and written as null.
  if (value === null) return !(field.pointer && isTime(field.type));
  if (field.pointer || !field.omitEmpty) return false;
  switch (field.type.kind) {
    case "struct":
      return false;
    case "list":
      return (value as readonly unknown[]).length === 0;
    case "map":
      return isEmptyObject(value as object);
    case "raw":
      return false;
    case "scalar":
      break;
  }
  return !isGoStruct(field.type) && (value === "" || value === 0 || value === false);
}

/** Whether Go holds it as a time. */
export function isTime(type: TypeSchema): boolean {
  return type.kind === "scalar" && (type.format === "time" || type.format === "micro-time");
}

function isEmptyObject(value: object): boolean {
  for (const _ in value) return false;
  return true;
}
