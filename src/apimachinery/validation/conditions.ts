import { duplicate, type FieldError, invalid, notSupported, required, tooLong } from "./field-error.ts";
import type { FieldPath } from "./field-path.ts";
import { validateLabelName } from "./labels.ts";
import { byteLength, regexMessage } from "./names.ts";

/** A condition as `metav1.Condition` has it, as far as it is checked. */
export interface CheckedCondition {
  readonly type?: string;
  readonly status?: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime?: string | null;
  readonly reason?: string;
  readonly message?: string;
}

const STATUSES = ["False", "True", "Unknown"];
const REASON_BYTES_MAX = 1024;
const MESSAGE_BYTES_MAX: number = 32 * 1024;
const REASON_SOURCE = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?";
const REASON = new RegExp(`^${REASON_SOURCE}$`);
const REASON_MESSAGE = regexMessage(
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
  REASON_SOURCE,
  "my_name",
  "MY_NAME",
  "MyName",
  "ReasonA,ReasonB",
  "ReasonA:ReasonB",
);

/** Upstream's `metav1validation.ValidateConditions`. */
export function validateConditions(conditions: readonly CheckedCondition[], path: FieldPath): FieldError[] {
  const seen = new Set<string>();
  return conditions.flatMap((condition, i) => {
    const { type = "" } = condition;
    const again = seen.has(type) ? [duplicate(path.index(i), type)] : [];
    seen.add(type);
    return [...again, ...validateCondition(condition, path.index(i))];
  });
}

function validateCondition(condition: CheckedCondition, path: FieldPath): FieldError[] {
  const { type = "", status = "", observedGeneration = 0, lastTransitionTime, reason = "", message = "" } = condition;
  const errors: FieldError[] = [];
  errors.push(...validateLabelName(type, path.child("type")));
  if (!STATUSES.includes(status)) errors.push(notSupported(path.child("status"), status, STATUSES));
  if (observedGeneration < 0) {
    errors.push(invalid(path.child("observedGeneration"), observedGeneration, "must be greater than or equal to zero"));
  }
  if (!lastTransitionTime) errors.push(required(path.child("lastTransitionTime"), ""));
  const reasonPath = path.child("reason");
  if (reason === "") errors.push(required(reasonPath, ""));
  else if (!REASON.test(reason)) errors.push(invalid(reasonPath, reason, REASON_MESSAGE));
  if (byteLength(reason) > REASON_BYTES_MAX) errors.push(tooLong(reasonPath, REASON_BYTES_MAX));
  if (byteLength(message) > MESSAGE_BYTES_MAX) errors.push(tooLong(path.child("message"), MESSAGE_BYTES_MAX));
  return errors;
}
