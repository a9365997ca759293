import { deepCopy } from "../meta/deep-copy.ts";
import { setOwn } from "./json-node.ts";
import type { FieldSchema, RawUnion, StructSchema, TypeSchema } from "./type-schema.ts";
import { encodedZeros, isOmitted } from "./zero.ts";

type Members = Record<string, unknown>;

/**
 * A copy of an object as Go would encode it: `omitempty` drops empty values, structs held by value are written as `{}`, fields
 * without `omitempty` have their zero value, and empty lists and maps among these are null. `apiVersion`, `kind` and `metadata`
 * come first. Fields that the schema does not know are dropped. With `keepEmpty` what is empty is not yet none: the form of an
 * object before upstream's storage has seen it.
 */
export function normalizeObject<T extends object>(schema: StructSchema, object: T, keepEmpty = false): T {
  return normalizeOwned(schema, deepCopy(object) as T, keepEmpty);
}

/**
 * {@link normalizeObject} of an object that the caller gives away: what needs no change is not copied. The object itself and
 * its metadata are new in any case, the parts below may be the given ones.
 */
export function normalizeOwned<T extends object>(schema: StructSchema, object: T, keepEmpty = false): T {
  const given = object as Members;
  const out: Members = {};
  if (given.kind !== undefined) out.kind = given.kind;
  if (given.apiVersion !== undefined) out.apiVersion = given.apiVersion;
  const metadata = schema.fields.get("metadata");
  if (metadata !== undefined) out.metadata = undefined;
  if (schema.unstructured !== undefined) normalizeUnstructured(schema, given, out, keepEmpty);
  else addMembers(schema, given, out, keepEmpty);
  if (out.metadata !== undefined && out.metadata === given.metadata) out.metadata = { ...(out.metadata as Members) };
  return out as T;
}

/** Custom resources hold what they hold; only metadata has a form. */
function normalizeUnstructured(schema: StructSchema, given: Members, out: Members, keepEmpty: boolean): void {
  const type = schema.fields.get("metadata")?.type;
  for (const key in given) if (key !== "kind" && key !== "apiVersion") setOwn(out, key, given[key]);
  if (type?.kind === "struct") out.metadata = normalizeStruct(type, (given.metadata ?? {}) as Members, keepEmpty);
}

function addMembers(schema: StructSchema, given: Members, out: Members, keepEmpty: boolean): void {
  for (const key in given) {
    const field = schema.fields.get(key);
    if (field === undefined || isLeftOut(field, given[key], keepEmpty)) continue;
    out[key] = normalizeValue(field.type, given[key], keepEmpty);
  }
  for (const zero of encodedZeros(schema)) if (out[zero.name] === undefined) out[zero.name] = zero.make();
}

/** The given struct where nothing is to be changed, else a new one. */
function normalizeStruct(schema: StructSchema, given: Members, keepEmpty: boolean): Members {
  let out: Members | undefined;
  for (const key in given) {
    const field = schema.fields.get(key);
    const value = given[key];
    const stays = field !== undefined && !isLeftOut(field, value, keepEmpty);
    const normal = stays ? normalizeValue(field.type, value, keepEmpty) : undefined;
    if (out === undefined) {
      if (stays && normal === value) continue;
      out = membersBefore(given, key);
    }
    if (stays) out[key] = normal;
  }
  for (const zero of encodedZeros(schema)) {
    if ((out ?? given)[zero.name] !== undefined) continue;
    out ??= { ...given };
    out[zero.name] = zero.make();
  }
  return out ?? given;
}

function membersBefore(given: Members, end: string): Members {
  const out: Members = {};
  for (const key in given) {
    if (key === end) break;
    out[key] = given[key];
  }
  return out;
}

function isLeftOut(field: FieldSchema, value: unknown, keepEmpty: boolean): boolean {
  return isOmitted(field, value) || (!keepEmpty && !field.pointer && isEmptyCollection(field.type, value));
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
      return normalizeStruct(type, value as Members, keepEmpty);
    case "list":
      return normalizeList(type.element, value as readonly unknown[], keepEmpty);
    case "map":
      return normalizeMap(type.value, value as Members, keepEmpty);
    case "raw":
      return type.union === undefined ? value : normalizeUnion(type.union, value, keepEmpty);
    default:
      return value;
  }
}

/** Whichever shape the value has is written by its type. */
function normalizeUnion(union: RawUnion, value: object, keepEmpty: boolean): unknown {
  if (!Array.isArray(value)) return normalizeStruct(union.object(), value as Members, keepEmpty);
  const array = union.array();
  return array === undefined ? value : normalizeValue(array, value, keepEmpty);
}

function normalizeList(element: TypeSchema, given: readonly unknown[], keepEmpty: boolean): readonly unknown[] {
  if (element.kind === "scalar" || (element.kind === "raw" && element.union === undefined)) return given;
  let out: unknown[] | undefined;
  for (let i = 0; i < given.length; i++) {
    const item = normalizeValue(element, given[i], keepEmpty);
    if (out === undefined && item !== given[i]) out = given.slice(0, i);
    out?.push(item);
  }
  return out ?? given;
}

function normalizeMap(type: TypeSchema, given: Members, keepEmpty: boolean): Members {
  if (type.kind === "scalar" || (type.kind === "raw" && type.union === undefined)) return given;
  const out: Members = {};
  for (const key in given) setOwn(out, key, normalizeValue(type, given[key], keepEmpty));
  return out;
}
