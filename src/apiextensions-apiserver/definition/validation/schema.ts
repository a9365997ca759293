import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { type FieldError, forbidden, invalid, notSupported } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isMetaField } from "../../schema/structural.ts";
import { additionalOf, byName, itemsOf } from "../../schema/walk.ts";
import { validateItemKeys, validateTopology } from "./list-map-checks.ts";
import { validateRules } from "./rules.ts";

/** Types that schemas may name. */
export const SCHEMA_TYPES: readonly string[] = ["array", "boolean", "integer", "number", "object", "string"];

/** What older definitions may keep. */
export interface SchemaOptions {
  readonly requireKnownTypes: boolean;
  readonly requireAtomicSets: boolean;
  readonly requireItemKeys: boolean;
}

/** Where in a resource a schema stands. */
interface Place {
  readonly options: SchemaOptions;
  /** Why no default may stand here. */
  readonly noDefaults: string | undefined;
  /** In the metadata of the resource, or of one within it. */
  readonly insideMeta: boolean;
}

/** The keywords of a schema and of all within it. Upstream's `ValidateCustomResourceDefinitionOpenAPISchema`. */
export function validateSchema(schema: JSONSchemaProps, path: FieldPath, options: SchemaOptions): FieldError[] {
  return validate(schema, path, { options, noDefaults: undefined, insideMeta: false }, true);
}

function validate(schema: JSONSchemaProps | undefined, path: FieldPath, place: Place, isRoot = false): FieldError[] {
  if (schema === undefined) return [];
  const { options } = place;
  const errors = [...keywords(schema, path, place)];
  if (schema.uniqueItems === true) {
    const detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
    errors.push(forbidden(path.child("uniqueItems"), detail));
  }
  errors.push(...members(schema, path, place, isRoot), ...combined(schema, path, place));
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) {
    errors.push(invalid(path.child("x-kubernetes-preserve-unknown-fields"), false, "must be true or undefined"));
  }
  errors.push(...validateTopology(schema, path, options.requireAtomicSets));
  if (options.requireItemKeys) errors.push(...validateItemKeys(schema, path));
  return [...errors, ...validateRules(schema, path)];
}

function members(schema: JSONSchemaProps, path: FieldPath, place: Place, isRoot: boolean): FieldError[] {
  const { properties = {}, additionalProperties } = schema;
  const errors: FieldError[] = [];
  if (additionalProperties !== undefined) {
    const at = path.child("additionalProperties");
    if (Object.keys(properties).length > 0 && additionalProperties !== true) {
      errors.push(forbidden(at, "additionalProperties and properties are mutual exclusive"));
    }
    const noDefaults = "inside additionalProperties applying to object metadata";
    errors.push(...validate(additionalOf(schema), at, place.insideMeta ? { ...place, noDefaults } : place));
  }
  for (const [name, property] of byName(properties)) {
    const meta = (isRoot || schema["x-kubernetes-embedded-resource"] === true) && isMetaField(name);
    const noDefaults = isRoot && meta ? `in top-level ${name}` : place.noDefaults;
    const inner = meta ? { ...place, insideMeta: true, noDefaults } : place;
    errors.push(...validate(property, path.child("properties").key(name), inner));
  }
  return errors;
}

function combined(schema: JSONSchemaProps, path: FieldPath, place: Place): FieldError[] {
  const { not, allOf = [], oneOf = [], anyOf = [], items } = schema;
  const each = (name: string, schemas: readonly JSONSchemaProps[]): FieldError[] =>
    schemas.flatMap((one, i) => validate(one, path.child(name).index(i), place));
  return [
    ...validate(not, path.child("not"), place),
    ...each("allOf", allOf),
    ...each("oneOf", oneOf),
    ...each("anyOf", anyOf),
    ...byName(schema.definitions).flatMap(([name, one]) => validate(one, path.child("definitions").key(name), place)),
    ...validate(itemsOf(schema), path.child("items"), place),
    ...(Array.isArray(items) ? each("items", items as readonly JSONSchemaProps[]) : []),
    ...byName(schema.dependencies).flatMap(([name, one]) =>
      Array.isArray(one) ? [] : validate(one as JSONSchemaProps, path.child("dependencies").key(name), place),
    ),
  ];
}

const UNSUPPORTED = ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"] as const;

/** Upstream's `specStandardValidatorV3.validate`. */
function keywords(schema: JSONSchemaProps, path: FieldPath, { options, noDefaults, insideMeta }: Place): FieldError[] {
  const { type = "" } = schema;
  const errors: FieldError[] = [];
  if (options.requireKnownTypes && type !== "" && !SCHEMA_TYPES.includes(type)) {
    errors.push(notSupported(path.child("type"), type, SCHEMA_TYPES));
  }
  if (noDefaults !== undefined && schema.default !== undefined && schema.default !== null) {
    errors.push(forbidden(path.child("default"), `must not be set ${noDefaults}`));
  }
  for (const name of UNSUPPORTED) {
    if (isGiven(schema, name)) errors.push(forbidden(path.child(name), `${name} is not supported`));
  }
  if (type === "null") {
    errors.push(forbidden(path.child("type"), "type cannot be set to null, use nullable as an alternative"));
  }
  if (Array.isArray(schema.items) && schema.items.length > 0) {
    errors.push(forbidden(path.child("items"), "items must be a schema object and not an array"));
  }
  if (insideMeta && schema["x-kubernetes-embedded-resource"] === true) {
    errors.push(forbidden(path.child("x-kubernetes-embedded-resource"), "must not be used inside of resource meta"));
  }
  return errors;
}

function isGiven(schema: JSONSchemaProps, name: (typeof UNSUPPORTED)[number]): boolean {
  const value = schema[name];
  if (name === "id") return Boolean(value);
  if (name === "patternProperties" || name === "definitions") return Object.keys(value ?? {}).length > 0;
  return value !== undefined;
}
