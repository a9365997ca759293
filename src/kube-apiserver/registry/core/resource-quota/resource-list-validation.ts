import { parseQuantity, quantityMilliValue, quantitySign } from "#apimachinery/resource/quantity.ts";
import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isIntegerResource } from "../pod/validation/resource-names.ts";

/** Upstream's `ValidateResourceQuantityValue`: not negative, and whole where only whole amounts make sense. */
export function quantityValueErrors(resource: string, amount: string, path: FieldPath): FieldError[] {
  const quantity = parseQuantity(amount);
  const errors: FieldError[] = [];
  if (quantitySign(quantity) < 0) errors.push(invalid(path, amount, "must be greater than or equal to 0"));
  if (isIntegerResource(resource) && quantityMilliValue(quantity) % 1000 !== 0) {
    errors.push(invalid(path, amount, "must be an integer"));
  }
  return errors;
}
