import type { ValidationRule } from "#api/generated/apiextensions/v1.ts";
import { duplicate, type FieldError, forbidden, invalid, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";

/** A rule that could not be evaluated; of the value, only the type is told. */
export function badType(path: FieldPath, type: string, detail: string): FieldError {
  return invalid(path, type, detail);
}

/** A rule that failed. `shown` is undefined where the value is not told. */
export function errorFor(
  path: FieldPath,
  shown: { readonly value: unknown } | undefined,
  detail: string,
  reason: string | undefined,
): FieldError {
  switch (reason) {
    case "FieldValueForbidden":
      return forbidden(path, detail);
    case "FieldValueRequired":
      return required(path, detail);
    case "FieldValueDuplicate":
      return shown === undefined ? withoutValue(path, "FieldValueDuplicate", "Duplicate value") : duplicate(path, shown.value);
    default:
      return shown === undefined
        ? withoutValue(path, "FieldValueInvalid", `Invalid value: ${detail}`)
        : invalid(path, shown.value, detail);
  }
}

function withoutValue(path: FieldPath, type: FieldError["type"], message: string): FieldError {
  return { type, field: `${path}`, message };
}

/** A rule as its failures name it. */
export function ruleText({ rule, message = "" }: ValidationRule): string {
  return (message === "" ? rule : message).trim();
}
