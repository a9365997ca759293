import { deepCopy } from "../meta/deep-copy.ts";
import { setOwn } from "./json-node.ts";
import type { StructSchema, TypeSchema } from "./type-schema.ts";
import { encodedZeros, isOmitted } from "./zero.ts";

type Members = Record<string, unknown>;

/**
 * A copy of an object as Go would encode it: `omitempty` drops empty values, structs held by value are written as `{}`, fields
 * without `omitempty` have their zero value, and empty lists and maps among these are null. `apiVersion`, `kind` and `metadata`
 * come first. Fields that the schema does not know are dropped. With `keepEmpty` what is empty is not yet none: the form of an
 * object before upstream's storage has seen it.
 */
export function normalizeObject<T extends object>(schema: StructSchema, object: T, keepEmpty = false): T {
  const given = object as Members;
  if (schema.unstructured !== undefined) return normalizeUnstructured(schema, given, keepEmpty) as T;
  const head: Members = {};
  if (given.kind !== undefined) head.kind = given.kind;
  if (given.apiVersion !== undefined) head.apiVersion = given.apiVersion;
  if (schema.fields.has("metadata")) head.metadata = undefined;
  return normalizeStruct(schema, given, head, keepEmpty) as T;
}

/** Custom resources hold what they hold; only metadata has a form. */
function normalizeUnstructured(schema: StructSchema, object: Members, keepEmpty: boolean): Members {
  const { kind, apiVersion, metadata, ...rest } = object;
  const type = schema.fields.get("metadata")?.type;
  return {
    ...(kind !== undefined && { kind }),
    ...(apiVersion !== undefined && { apiVersion }),
    metadata: type?.kind === "struct" ? normalizeObject(type, (metadata ?? {}) as object, keepEmpty) : metadata,
    ...deepCopy(rest),
  };
}

function normalizeStruct(schema: StructSchema, given: Members, out: Members, keepEmpty: boolean): Members {
  for (const key in given) {
    const field = schema.fields.get(key);
    if (field === undefined) continue;
    const value = given[key];
    if (isOmitted(field, value) || (!keepEmpty && !field.pointer && isEmptyCollection(field.type, value))) continue;
    out[key] = normalizeValue(field.type, value, keepEmpty);
  }
  for (const zero of encodedZeros(schema)) if (out[zero.name] === undefined) out[zero.name] = zero.make();
  return out;
}

/** Upstream's storage does not tell empty from none. */
function isEmptyCollection(type: TypeSchema, value: unknown): boolean {
  if (type.kind === "list") return Array.isArray(value) && value.length === 0;
  return type.kind === "map" && Object.keys(value as object).length === 0;
}

function normalizeValue(type: TypeSchema, value: unknown, keepEmpty: boolean): unknown {
  if (value === null || typeof value !== "object") return value;
  switch (type.kind) {
    case "struct":
      return normalizeStruct(type, value as Members, {}, keepEmpty);
    case "list":
      return (value as readonly unknown[]).map((item) => normalizeValue(type.element, item, keepEmpty));
    case "map": {
      const out: Members = {};
      for (const key in value) setOwn(out, key, normalizeValue(type.value, (value as Members)[key], keepEmpty));
      return out;
    }
    default:
      return value;
  }
}
