import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { type FieldError, forbidden, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { itemsOf } from "../../schema/walk.ts";
import { shownItems } from "./internal-form.ts";

const MAP_TYPE = "x-kubernetes-map-type";
const LIST_TYPE = "x-kubernetes-list-type";
const LIST_MAP_KEYS = "x-kubernetes-list-map-keys";

/** What schemas say of how lists and maps are merged. */
export function validateTopology(schema: JSONSchemaProps, path: FieldPath, requireAtomicSets: boolean): FieldError[] {
  const mapType = schema[MAP_TYPE];
  const listType = schema[LIST_TYPE];
  const errors = [...typeFor(schema, MAP_TYPE, "object", path)];
  if (mapType !== undefined && mapType !== "atomic" && mapType !== "granular") {
    errors.push(notSupported(path.child(MAP_TYPE), mapType, ["atomic", "granular"]));
  }
  const wrongType = typeFor(schema, LIST_TYPE, "array", path);
  errors.push(...wrongType);
  if (wrongType.length === 0 && requireAtomicSets) errors.push(...atomicSet(schema, path));
  if (listType !== undefined && !["atomic", "set", "map"].includes(listType)) {
    errors.push(notSupported(path.child(LIST_TYPE), listType, ["atomic", "set", "map"]));
  }
  if ((schema[LIST_MAP_KEYS]?.length ?? 0) > 0 && listType !== "map") {
    const detail = "must be map if x-kubernetes-list-map-keys is non-empty";
    const at = path.child(LIST_TYPE);
    errors.push(listType === undefined ? required(at, detail) : invalid(at, listType, detail));
  }
  return listType === "map" ? [...errors, ...listMap(schema, path)] : errors;
}

function typeFor(
  schema: JSONSchemaProps,
  extension: "x-kubernetes-map-type" | "x-kubernetes-list-type",
  type: string,
  path: FieldPath,
): FieldError[] {
  if (schema[extension] === undefined || schema.type === type) return [];
  const detail = `must be ${type} if ${extension} is specified`;
  const at = path.child("type");
  return [schema.type ? invalid(at, schema.type, detail) : required(at, detail)];
}

function atomicSet(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  const extension = nonAtomicSet(schema);
  if (extension === undefined) return [];
  const detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
  // Upstream shows the list type for both.
  return [invalid(path.child("items").child(extension), itemsOf(schema)?.[LIST_TYPE] ?? null, detail)];
}

/** The extension that makes the items of a set be more than one value each. */
export function nonAtomicSet(schema: JSONSchemaProps): "x-kubernetes-list-type" | "x-kubernetes-map-type" | undefined {
  const items = itemsOf(schema);
  if (schema[LIST_TYPE] !== "set" || items === undefined) return undefined;
  if (items.type === "array" && (items[LIST_TYPE] ?? "atomic") !== "atomic") return LIST_TYPE;
  return items.type === "object" && items[MAP_TYPE] !== "atomic" ? MAP_TYPE : undefined;
}

function listMap(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const keys = schema[LIST_MAP_KEYS] ?? [];
  const itemsPath = path.child("items");
  if (keys.length === 0) {
    errors.push(required(path.child(LIST_MAP_KEYS), "must not be empty if x-kubernetes-list-type is map"));
  }
  if (schema.items === undefined) {
    return [...errors, required(itemsPath, "must have a schema if x-kubernetes-list-type is map")];
  }
  const items = itemsOf(schema);
  if (items === undefined) {
    const detail = "must only have a single schema if x-kubernetes-list-type is map";
    return [...errors, invalid(itemsPath, shownItems(schema.items), detail)];
  }
  if (items.type !== "object") {
    const detail = "must be object if parent array's x-kubernetes-list-type is map";
    return [...errors, invalid(itemsPath.child("type"), items.type ?? "", detail)];
  }
  const { properties = {} } = items;
  keys.forEach((key, i) => {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (property === undefined) {
      errors.push(invalid(path.child(LIST_MAP_KEYS), keys, "entries must all be names of item properties"));
    } else if (property.type === "array" || property.type === "object") {
      const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      // Upstream shows the items' type.
      errors.push(invalid(itemsPath.child("properties").key(key).child("type"), items.type, detail));
    }
    if (keys.indexOf(key) < i) errors.push(invalid(path.child(LIST_MAP_KEYS), keys, "must not contain duplicate entries"));
  });
  return errors;
}

/** Items of sets and of lists with keys are never null, and always have their keys. Upstream's `validateMapListKeysMapSet`. */
export function validateItemKeys(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  const items = itemsOf(schema);
  const listType = schema[LIST_TYPE];
  if (items === undefined || (listType !== "set" && listType !== "map")) return [];
  const itemsPath = path.child("items");
  const errors: FieldError[] = [];
  if (items.nullable === true) {
    errors.push(forbidden(itemsPath.child("nullable"), `cannot be nullable when x-kubernetes-list-type is ${listType}`));
  }
  if (listType === "set") return errors;
  const { properties = {}, required: given = [] } = items;
  for (const key of schema[LIST_MAP_KEYS] ?? []) {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (property === undefined) continue;
    const at = itemsPath.child("properties").key(key);
    if (!given.includes(key) && (property.default === undefined || property.default === null)) {
      const detail = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
      errors.push(required(at.child("default"), detail));
    }
    if (property.nullable === true) {
      errors.push(forbidden(at.child("nullable"), "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"));
    }
  }
  return errors;
}
