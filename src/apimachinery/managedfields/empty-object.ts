import type { FieldSchema, ScalarFormat, StructSchema } from "../schema/type-schema.ts";

const known = new WeakMap<StructSchema, Readonly<Record<string, unknown>>>();

/**
 * What Go encodes for a new, empty object: structs that are no pointers as `{}`, fields that are never left out with
 * their zero value. A created object is compared with it, so that `spec` itself is not owned by its creator.
 */
export function emptyObject(schema: StructSchema): Readonly<Record<string, unknown>> {
  let object = known.get(schema);
  if (object === undefined) {
    object = makeEmpty(schema);
    known.set(schema, object);
  }
  return object;
}

function makeEmpty(schema: StructSchema): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const field of schema.fields.values()) {
    const value = zeroValue(field);
    if (value !== undefined) object[field.name] = value;
  }
  return object;
}

function zeroValue(field: FieldSchema & { readonly omitZero?: boolean }): unknown {
  const { type, pointer, omitEmpty } = field;
  if (pointer) return omitEmpty ? undefined : null;
  if (field.omitZero === true) return undefined;
  if (type.kind === "struct") return emptyObject(type);
  if (type.kind !== "scalar") return omitEmpty ? undefined : null;
  switch (type.format) {
    // Structs in Go, which omitempty does not leave out.
    case "time":
    case "micro-time":
      return null;
    case "quantity":
      return "0";
    case "int-or-string":
      return 0;
    default:
      return omitEmpty ? undefined : zeroScalar(type.format);
  }
}

function zeroScalar(format: ScalarFormat): unknown {
  if (format === "bool") return false;
  if (format === "bytes") return null;
  return format === "string" || format === "duration" ? "" : 0;
}
