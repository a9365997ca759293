import { deepCopy } from "../meta/deep-copy.ts";
import { setOwn } from "./json-node.ts";
import { type NormalField, type NormalForm, type NormalStruct, normalForm, normalStruct } from "./normal-form.ts";
import type { RawUnion, StructSchema } from "./type-schema.ts";

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

/** Says of a top-level member that it needs no look: it is known to be in its normal form, or nobody will look at it. */
export type LeftAsItIs = (name: string, value: unknown) => boolean;

/**
 * {@link normalizeObject} of an object that the caller gives away: what needs no change is not copied. The object itself and
 * its metadata are new in any case, the parts below may be the given ones. `leftAsItIs` is not asked of custom resources.
 */
export function normalizeOwned<T extends object>(schema: StructSchema, object: T, keepEmpty = false, leftAsItIs?: LeftAsItIs): T {
  const given = object as Members;
  const out: Members = {};
  if (given.kind !== undefined) out.kind = given.kind;
  if (given.apiVersion !== undefined) out.apiVersion = given.apiVersion;
  const metadata = schema.fields.get("metadata");
  if (metadata !== undefined) out.metadata = undefined;
  if (schema.unstructured !== undefined) normalizeUnstructured(schema, given, out, keepEmpty);
  else addMembers(normalStruct(schema), given, out, keepEmpty, leftAsItIs);
  if (out.metadata !== undefined && out.metadata === given.metadata) out.metadata = { ...(out.metadata as Members) };
  return out as T;
}

/** Custom resources hold what they hold; only metadata has a form. */
function normalizeUnstructured(schema: StructSchema, given: Members, out: Members, keepEmpty: boolean): void {
  const type = schema.fields.get("metadata")?.type;
  for (const key in given) if (key !== "kind" && key !== "apiVersion") setOwn(out, key, given[key]);
  if (type?.kind === "struct") out.metadata = normalizeStruct(normalStruct(type), (given.metadata ?? {}) as Members, keepEmpty);
}

function addMembers(
  { fields, zeros }: NormalStruct,
  given: Members,
  out: Members,
  keepEmpty: boolean,
  leftAsItIs: LeftAsItIs | undefined,
): void {
  for (const key in given) {
    const field = fields.get(key);
    const value = given[key];
    if (field === undefined || isLeftOut(field, value, keepEmpty)) continue;
    out[key] = leftAsItIs?.(key, value) ? value : normalizeValue(field.form, value, keepEmpty);
  }
  for (const zero of zeros) if (out[zero.name] === undefined) out[zero.name] = zero.make();
}

/** The given struct where nothing is to be changed, else a new one. */
function normalizeStruct({ fields, zeros }: NormalStruct, given: Members, keepEmpty: boolean): Members {
  let out: Members | undefined;
  for (const key in given) {
    const field = fields.get(key);
    const value = given[key];
    const stays = field !== undefined && !isLeftOut(field, value, keepEmpty);
    const normal = stays ? normalizeValue(field.form, value, keepEmpty) : undefined;
    if (out === undefined) {
      if (stays && normal === value) continue;
      out = membersBefore(given, key);
    }
    if (stays) out[key] = normal;
  }
  for (const zero of zeros) {
    if ((out ?? given)[zero.name] !== undefined) continue;
    // Not by spreading: V8 takes a microsecond for each member that what was made so is given further.
    out ??= membersBefore(given);
    out[zero.name] = zero.make();
  }
  return out ?? given;
}

/** All members where `end` is not given. */
function membersBefore(given: Members, end?: string): Members {
  const out: Members = {};
  for (const key in given) {
    if (key === end) break;
    setOwn(out, key, given[key]);
  }
  return out;
}

function isLeftOut(field: NormalField, value: unknown, keepEmpty: boolean): boolean {
  if (value === undefined) return true;
  if (value === null) return !field.keepsNull;
  switch (field.leftOut) {
    case "nothing":
      return false;
    case "scalar":
      return value === "" || value === 0 || value === false;
    case "list":
      return isEmptyList(value);
    case "map":
      return isEmptyMap(value);
    case "stored-list":
      return !keepEmpty && isEmptyList(value);
    case "stored-map":
      return !keepEmpty && isEmptyMap(value);
  }
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function isEmptyMap(value: unknown): boolean {
  for (const _ in value as object) return false;
  return true;
}

function normalizeValue(form: NormalForm, value: unknown, keepEmpty: boolean): unknown {
  if (value === null || typeof value !== "object") return value;
  const { kind, struct, element, union } = form;
  if (kind === "struct" && struct !== undefined) return normalizeStruct(struct, value as Members, keepEmpty);
  if (kind === "list" && element !== undefined) return normalizeList(element, value as readonly unknown[], keepEmpty);
  if (kind === "map" && element !== undefined) return normalizeMap(element, value as Members, keepEmpty);
  return union === undefined ? value : normalizeUnion(union, value, keepEmpty);
}

/** Whichever shape the value has is written by its type. */
function normalizeUnion(union: RawUnion, value: object, keepEmpty: boolean): unknown {
  if (!Array.isArray(value)) return normalizeStruct(normalStruct(union.object()), value as Members, keepEmpty);
  const array = union.array();
  return array === undefined ? value : normalizeValue(normalForm(array), value, keepEmpty);
}

function normalizeList(element: NormalForm, given: readonly unknown[], keepEmpty: boolean): readonly unknown[] {
  let out: unknown[] | undefined;
  for (let i = 0; i < given.length; i++) {
    const item = normalizeValue(element, given[i], keepEmpty);
    if (out === undefined && item !== given[i]) out = given.slice(0, i);
    out?.push(item);
  }
  return out ?? given;
}

function normalizeMap(element: NormalForm, given: Members, keepEmpty: boolean): Members {
  let out: Members | undefined;
  for (const key in given) {
    const item = normalizeValue(element, given[key], keepEmpty);
    if (out === undefined && item !== given[key]) out = membersBefore(given, key);
    if (out !== undefined) setOwn(out, key, item);
  }
  return out ?? given;
}
