import type { CapacityRequestPolicy, CapacityRequestPolicyRange } from "#api/generated/resource/v1.ts";
import {
  canonicalQuantity,
  formatQuantity,
  parseQuantity,
  quantityAdd,
  quantityCompare,
  quantityScaledValue,
  quantitySign,
} from "#apimachinery/resource/quantity.ts";
import { type FieldError, forbidden, invalid, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { setErrors } from "../bounded-lists.ts";

const VALUES_MAX = 10;

/**
 * Upstream's `validateRequestPolicy` (KEP-5075): how much of a capacity requests may have is one of some values or in a range,
 * and so is what they have that do not say.
 */
export function requestPolicyErrors(capacity: string, policy: CapacityRequestPolicy, path: FieldPath): FieldError[] {
  const { default: byDefault, validValues: values = [], validRange: range } = policy;
  if (values.length > 0 && range !== undefined) {
    const detail = 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time';
    return [forbidden(path, detail)];
  }
  if (values.length > 0) {
    if (byDefault === undefined) return [required(path.child("default"), "required when validValues is defined")];
    return valueErrors(byDefault, capacity, values, path.child("validValues"));
  }
  if (range === undefined) return [];
  if (byDefault === undefined) return [required(path.child("default"), "required when validRange is defined")];
  return rangeErrors(byDefault, capacity, range, path.child("validRange"));
}

function valueErrors(byDefault: string, capacity: string, values: readonly string[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, next] of values.slice(1).entries()) {
    if (isMore(values[i] ?? next, next)) {
      errors.push(invalid(path.index(i + 1), canonicalQuantity(next), "values must be sorted in ascending order"));
    }
  }
  const check = (value: string, at: FieldPath): FieldError[] => {
    const detail = `option is larger than capacity value: ${canonicalQuantity(capacity)}`;
    return isMore(value, capacity) ? [invalid(at, canonicalQuantity(value), detail)] : [];
  };
  errors.push(...setErrors(values, VALUES_MAX, path, check, (value) => `${wholeOf(value)}`));
  const isFound = values.length <= VALUES_MAX && values.some((value) => isEqual(value, byDefault));
  if (isFound) return errors;
  return [...errors, invalid(path, canonicalQuantity(byDefault), "default value is not valid according to the requestPolicy")];
}

function rangeErrors(byDefault: string, capacity: string, range: CapacityRequestPolicyRange, path: FieldPath): FieldError[] {
  const { min, max, step } = range;
  const minPath = path.child("min");
  if (min === undefined) return [required(minPath, "required when validRange is defined")];
  const errors: FieldError[] = [];
  const add = (at: FieldPath, value: string, detail: string): void => {
    errors.push(invalid(at, canonicalQuantity(value), detail));
  };
  const whole = canonicalQuantity(capacity);
  if (isMore(min, capacity)) add(minPath, min, `min is larger than capacity value: ${whole}`);
  if (isMore(min, byDefault)) add(minPath, byDefault, `default is less than min: ${canonicalQuantity(min)}`);
  if (max !== undefined) {
    const maxPath = path.child("max");
    if (isMore(min, max)) add(maxPath, min, `min is larger than max: ${canonicalQuantity(max)}`);
    if (isMore(max, capacity)) add(maxPath, max, `max is larger than capacity value: ${whole}`);
    if (isMore(byDefault, max)) add(maxPath, byDefault, `default is more than max: ${canonicalQuantity(max)}`);
  }
  if (step === undefined) return errors;
  const stepPath = path.child("step");
  if (quantitySign(parseQuantity(step)) <= 0) {
    add(stepPath, step, "must be greater than zero");
    return errors;
  }
  const first = formatQuantity(quantityAdd(parseQuantity(min), parseQuantity(step)));
  if (isMore(first, capacity)) add(stepPath, step, `one step ${first} is larger than capacity value: ${whole}`);
  for (const value of max === undefined ? [byDefault] : [byDefault, max]) {
    if ((wholeOf(value) - wholeOf(min)) % wholeOf(step) === 0n) continue;
    add(stepPath, value, `value is not a multiple of a given step (${canonicalQuantity(step)}) from (${canonicalQuantity(min)})`);
  }
  return errors;
}

function isMore(a: string, b: string): boolean {
  return quantityCompare(parseQuantity(a), parseQuantity(b)) > 0;
}

function isEqual(a: string, b: string): boolean {
  return quantityCompare(parseQuantity(a), parseQuantity(b)) === 0;
}

/** Rounded up, as upstream compares amounts here. */
function wholeOf(amount: string): bigint {
  return quantityScaledValue(parseQuantity(amount), 0);
}
