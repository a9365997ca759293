import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { RuleEvaluator } from "../cel/evaluate-rules.ts";
import type { Structural } from "../schema/structural.ts";
import { validateEmbedded } from "./embedded.ts";
import { validateListTypes } from "./list-types.ts";
import type { PatternCompiler } from "./patterns.ts";
import { validateAgainstSchema } from "./schema-validator.ts";

/** Everything that a version's schema says of a custom resource. `old` on updates: what did not change is not judged again. */
export function validateCustomResource(
  schema: Structural | undefined,
  object: ApiObject,
  old: ApiObject | undefined,
  patterns: PatternCompiler,
  rules?: RuleEvaluator,
): FieldError[] {
  if (schema === undefined) return [];
  const before = old === undefined ? undefined : { value: old };
  const errors = [
    ...validateAgainstSchema(schema.props, object, "", patterns, before),
    ...validateEmbedded(schema, object),
    ...newListErrors(schema, object, old),
  ];
  return [...errors, ...validateRules(errors, object, old, rules)];
}

/** As {@link validateCustomResource}, of the status alone; messages name fields below it. */
export function validateCustomStatus(
  schema: Structural | undefined,
  object: ApiObject,
  old: ApiObject,
  patterns: PatternCompiler,
  rules?: RuleEvaluator,
): FieldError[] {
  const status = schema?.properties.get("status");
  const value = statusOf(object);
  const before = statusOf(old);
  const found =
    status === undefined || value === undefined
      ? []
      : validateAgainstSchema(status.props, value, "", patterns, before === undefined ? undefined : { value: before });
  const errors = [
    ...found.map((error) => ({ ...error, field: error.field === "<nil>" ? "status" : `status.${error.field}` })),
    ...newListErrors(schema, object, old),
  ];
  return [...errors, ...validateRules(errors, object, old, rules)];
}

/** Failures by which values may not be what rules take them for. */
const BLOCKING = new Set([
  "FieldValueNotSupported",
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid",
]);

function validateRules(
  errors: readonly FieldError[],
  object: ApiObject,
  old: unknown,
  rules: RuleEvaluator | undefined,
): FieldError[] {
  if (rules === undefined) return [];
  if (!errors.some(({ type }) => BLOCKING.has(type))) return [...rules(object, old).errors];
  const why =
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
  return [invalid(FieldPath.root, null, why)];
}

/** Lists that were wrong before may stay so. */
function newListErrors(schema: Structural | undefined, object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const errors = validateListTypes(schema, object);
  return errors.length > 0 && old !== undefined && validateListTypes(schema, old).length > 0 ? [] : errors;
}

function statusOf(object: ApiObject): unknown {
  return (object as ApiObject & { readonly status?: unknown }).status;
}
