import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { type FieldError, forbidden, invalid } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { PatternCompiler } from "../validation/patterns.ts";
import { additionalOf, byName, itemsOf } from "./walk.ts";

/** Which `anyOf` is one of the two that may name types: this one, or that of the first of `allOf`. */
interface Skip {
  readonly anyOf: boolean;
  readonly allOf: boolean;
}

const NOTHING: Skip = { anyOf: false, allOf: false };

/** The pattern, and what stands in `anyOf`, `allOf`, `oneOf` and `not`. Upstream's `validateValueValidation`. */
export function validateValueChecks(
  schema: JSONSchemaProps,
  skip: Skip,
  path: FieldPath,
  patterns: PatternCompiler,
): FieldError[] {
  const { anyOf = [], allOf = [], oneOf = [], not, pattern = "" } = schema;
  const errors: FieldError[] = [];
  if (!skip.anyOf) {
    anyOf.forEach((one, i) => {
      errors.push(...nested(one, NOTHING, path.child("anyOf").index(i), patterns));
    });
  }
  allOf.forEach((one, i) => {
    const known = skip.allOf && i === 0 ? { anyOf: true, allOf: false } : NOTHING;
    errors.push(...nested(one, known, path.child("allOf").index(i), patterns));
  });
  oneOf.forEach((one, i) => {
    errors.push(...nested(one, NOTHING, path.child("oneOf").index(i), patterns));
  });
  errors.push(...nested(not, NOTHING, path.child("not"), patterns));
  const compiled = pattern === "" ? undefined : patterns(pattern);
  if (compiled instanceof Error) {
    const detail = `must be a valid regular expression, but isn't: ${compiled.message}`;
    errors.push(invalid(path.child("pattern"), pattern, detail));
  }
  return errors;
}

const MUST_BE_EMPTY = ["type", "title", "description"] as const;
const MUST_BE_FALSE = [
  "nullable",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-embedded-resource",
  "x-kubernetes-int-or-string",
] as const;
const MUST_BE_UNDEFINED = ["default", "x-kubernetes-list-type", "x-kubernetes-map-type"] as const;
const MUST_BE_EMPTY_LISTS = ["x-kubernetes-list-map-keys", "x-kubernetes-validations"] as const;

function nested(schema: JSONSchemaProps | undefined, skip: Skip, path: FieldPath, patterns: PatternCompiler): FieldError[] {
  if (schema === undefined) return [];
  const errors = [
    ...validateValueChecks(schema, skip, path, patterns),
    ...nested(itemsOf(schema), NOTHING, path.child("items"), patterns),
  ];
  for (const [name, property] of byName(schema.properties)) {
    errors.push(...nested(property, NOTHING, path.child("properties").key(name), patterns));
  }
  const refuse = (name: string, what: string): void => {
    errors.push(forbidden(path.child(name), `must be ${what} to be structural`));
  };
  for (const name of MUST_BE_EMPTY) if (schema[name]) refuse(name, "empty");
  if (additionalOf(schema) !== undefined || schema.additionalProperties === true) refuse("additionalProperties", "undefined");
  for (const name of MUST_BE_UNDEFINED) if (schema[name] !== undefined && schema[name] !== null) refuse(name, "undefined");
  for (const name of MUST_BE_FALSE) if (schema[name] === true) refuse(name, "false");
  for (const name of MUST_BE_EMPTY_LISTS) if ((schema[name]?.length ?? 0) > 0) refuse(name, "empty");
  if (Object.hasOwn(schema.properties ?? {}, "metadata")) {
    errors.push(forbidden(path.child("properties").key("metadata"), "must not be specified in a nested context"));
  }
  return errors;
}
