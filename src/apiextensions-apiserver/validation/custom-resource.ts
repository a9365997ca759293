import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { FieldError } from "#apimachinery/validation/field-error.ts";
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
): FieldError[] {
  if (schema === undefined) return [];
  const before = old === undefined ? undefined : { value: old };
  const lists = validateListTypes(schema, object);
  const known = old === undefined ? new Set<string>() : new Set(validateListTypes(schema, old).map(identity));
  return [
    ...validateAgainstSchema(schema.props, object, "", patterns, before),
    ...lists.filter((error) => !known.has(identity(error))),
    ...validateEmbedded(schema, object),
  ];
}

/** As {@link validateCustomResource}, of the status alone; messages name fields below it. */
export function validateCustomStatus(
  schema: Structural | undefined,
  object: ApiObject,
  old: ApiObject,
  patterns: PatternCompiler,
): FieldError[] {
  const status = schema?.properties.get("status");
  const value = statusOf(object);
  if (status === undefined || value === undefined) return [];
  const before = statusOf(old);
  const errors = validateAgainstSchema(status.props, value, "", patterns, before === undefined ? undefined : { value: before });
  return errors.map((error) => ({ ...error, field: error.field === "<nil>" ? "status" : `status.${error.field}` }));
}

function statusOf(object: ApiObject): unknown {
  return (object as ApiObject & { readonly status?: unknown }).status;
}

function identity({ field, message }: FieldError): string {
  return `${field} ${message}`;
}
