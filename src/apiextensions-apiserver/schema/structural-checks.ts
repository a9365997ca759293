import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { type FieldError, forbidden, invalid, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { PatternCompiler } from "../validation/patterns.ts";
import { validateCompleteness } from "./completeness.ts";
import { validateValueChecks } from "./value-checks.ts";
import { additionalOf, byName, itemsOf } from "./walk.ts";

/** Where in a resource a schema stands. */
export type SchemaLevel = "root" | "item" | "field";

const WITHOUT_TYPE: Readonly<Record<SchemaLevel, string>> = {
  root: "must not be empty at the root",
  item: "must not be empty for specified array items",
  field: "must not be empty for specified object fields",
};

/**
 * What keeps a schema from being structural: every field's type is known, and `allOf`, `anyOf`, `oneOf` and `not` judge only
 * values of fields that are declared beside them (KEP-1693). Upstream's `ValidateStructural`; nothing that
 * `structuralProblem` tells of may be in the schema.
 */
export function validateStructural(schema: JSONSchemaProps, path: FieldPath, patterns: PatternCompiler): FieldError[] {
  const errors = [...invariants(schema, "root", path, patterns), ...validateCompleteness(schema, path)];
  const text = ({ field, message }: FieldError): string => `${field}: ${message}`;
  return errors.sort((a, b) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0));
}

/** Whether errors would be found. */
export function isStructural(schema: JSONSchemaProps, patterns: PatternCompiler): boolean {
  return validateStructural(schema, FieldPath.root, patterns).length === 0;
}

function invariants(
  schema: JSONSchemaProps | undefined,
  level: SchemaLevel,
  path: FieldPath,
  patterns: PatternCompiler,
): FieldError[] {
  if (schema === undefined) return [];
  const errors: FieldError[] = [];
  const items = itemsOf(schema);
  if (schema.type === "array" && items === undefined) errors.push(required(path.child("items"), "must be specified"));
  errors.push(...invariants(items, "item", path.child("items"), patterns));
  for (const [name, property] of byName(schema.properties)) {
    errors.push(...invariants(property, "field", path.child("properties").key(name), patterns));
  }
  const additionalPath = path.child("additionalProperties");
  if (schema.additionalProperties !== undefined) {
    if (level === "root") errors.push(forbidden(additionalPath, "must not be used at the root"));
    errors.push(...invariants(additionalOf(schema), "field", additionalPath, patterns));
  }
  return [
    ...errors,
    ...extensions(schema, path),
    ...validateValueChecks(schema, intOrStringPattern(schema), path, patterns),
    ...typeErrors(schema, level, path),
    ...metaErrors(schema, level, path),
  ];
}

function extensions(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  if (schema["x-kubernetes-int-or-string"] !== true) return [];
  const others = ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] as const;
  return others
    .filter((name) => schema[name] === true)
    .map((name) => invalid(path.child(name), true, "must be false if x-kubernetes-int-or-string is true"));
}

function typeErrors(schema: JSONSchemaProps, level: SchemaLevel, path: FieldPath): FieldError[] {
  const { type = "" } = schema;
  const embedded = schema["x-kubernetes-embedded-resource"] === true;
  const preserves = schema["x-kubernetes-preserve-unknown-fields"] === true;
  const typePath = path.child("type");
  const errors: FieldError[] = [];
  if (embedded && type !== "object") {
    const detail = "must be object if x-kubernetes-embedded-resource is true";
    errors.push(type === "" ? required(typePath, detail) : invalid(typePath, type, detail));
  } else if (type === "" && schema["x-kubernetes-int-or-string"] !== true && !preserves) {
    errors.push(required(typePath, WITHOUT_TYPE[level]));
  }
  if (embedded && schema.additionalProperties !== undefined) {
    const detail = "must not be used if x-kubernetes-embedded-resource is set";
    errors.push(forbidden(path.child("additionalProperties"), detail));
  }
  if (level === "root" && type !== "" && type !== "object") errors.push(invalid(typePath, type, "must be object at the root"));
  if (embedded && !preserves && Object.keys(schema.properties ?? {}).length === 0) {
    const detail = "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
    errors.push(required(path.child("properties"), detail));
  }
  return errors;
}

/** What a whole resource's own members may say. */
function metaErrors({ properties = {}, ...schema }: JSONSchemaProps, level: SchemaLevel, path: FieldPath): FieldError[] {
  const whole = level === "root" || schema["x-kubernetes-embedded-resource"] === true;
  const errors: FieldError[] = [];
  const at = (name: string): FieldPath => path.child("properties").key(name);
  for (const name of ["kind", "apiVersion"]) {
    const property = own(properties, name);
    if (whole && property !== undefined && property.type !== "string") {
      errors.push(invalid(at(name).child("type"), property.type ?? "", "must be string"));
    }
  }
  const metadata = own(properties, "metadata");
  if (metadata === undefined) return errors;
  if (whole && metadata.type !== "object") {
    errors.push(invalid(at("metadata").child("type"), metadata.type ?? "", "must be object"));
  }
  if (level === "root" && !restrictsNamesOnly(metadata)) {
    const detail = "must not specify anything other than name and generateName, but metadata is implicitly specified";
    errors.push(forbidden(at("metadata"), detail));
  }
  return errors;
}

function restrictsNamesOnly(metadata: JSONSchemaProps): boolean {
  const { type: _type, default: _default, properties = {}, ...rest } = metadata;
  const onlyNames = Object.keys(properties).every((name) => name === "name" || name === "generateName");
  return onlyNames && isZero(rest);
}

/** The two forms in which schemas may say again that a value is an integer or a string. */
function intOrStringPattern({ anyOf, allOf }: JSONSchemaProps): { readonly anyOf: boolean; readonly allOf: boolean } {
  return { anyOf: isIntegerOrString(anyOf), allOf: isIntegerOrString(allOf?.[0]?.anyOf) };
}

function isIntegerOrString(anyOf: readonly JSONSchemaProps[] | undefined): boolean {
  return anyOf?.length === 2 && anyOf.every(({ type, ...rest }, index) => type === ["integer", "string"][index] && isZero(rest));
}

function isZero(schema: Omit<JSONSchemaProps, never>): boolean {
  return Object.values(schema).every(
    (value) => value === undefined || value === false || value === "" || (Array.isArray(value) && value.length === 0),
  );
}

function own<T>(members: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(members, name) ? members[name] : undefined;
}
