import { duplicate, type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateLabelName } from "#apimachinery/validation/labels.ts";
import { sliceErrors } from "./bounded-lists.ts";

const CONDITIONS_MAX = 4;

/** What pods wait for before they are bound to a device. */
interface Conditions {
  readonly bindingConditions?: readonly string[];
  readonly bindingFailureConditions?: readonly string[];
}

/** Upstream's `validateDeviceBindingParameters` (KEP-5007): there are conditions of both kinds or none, and none is of both. */
export function bindingConditionErrors(given: Conditions, path: FieldPath): FieldError[] {
  const { bindingConditions: wanted = [], bindingFailureConditions: failures = [] } = given;
  const wantedPath = path.child("bindingConditions");
  const failuresPath = path.child("bindingFailureConditions");
  const errors = [
    ...sliceErrors(wanted, CONDITIONS_MAX, wantedPath, validateLabelName),
    ...sliceErrors(failures, CONDITIONS_MAX, failuresPath, validateLabelName),
    ...repeated(wanted, wantedPath),
  ];
  failures.forEach((condition, i) => {
    const at = failuresPath.index(i);
    if (failures.indexOf(condition) < i) errors.push(duplicate(at, condition));
    if (wanted.includes(condition)) {
      errors.push(invalid(at, condition, "bindingFailureConditions must not overlap with bindingConditions"));
    }
  });
  if (wanted.length === 0 && failures.length > 0) {
    const detail = "bindingConditions are required to use bindingFailureConditions";
    errors.push(invalid(wantedPath, given.bindingConditions ?? null, detail));
  }
  if (failures.length === 0 && wanted.length > 0) {
    const detail = "bindingFailureConditions are required to use bindingConditions";
    errors.push(invalid(failuresPath, given.bindingFailureConditions ?? null, detail));
  }
  return errors;
}

function repeated(conditions: readonly string[], path: FieldPath): FieldError[] {
  return conditions.flatMap((condition, i) => (conditions.indexOf(condition) < i ? [duplicate(path.index(i), condition)] : []));
}
