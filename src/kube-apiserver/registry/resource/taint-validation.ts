import type { DeviceTaint, DeviceToleration } from "#api/generated/resource/v1.ts";
import { type FieldError, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateLabelName } from "#apimachinery/validation/labels.ts";
import { isValidLabelValue } from "#apimachinery/validation/names.ts";
import { invalidEach } from "../core/pod/validation/field-checks.ts";

const EFFECTS = ["NoExecute", "NoSchedule", "None"];
const OPERATORS = ["Equal", "Exists"];

/** Upstream's `validateDeviceTaint` (KEP-5055). */
export function deviceTaintErrors({ key = "", value = "", effect = "" }: DeviceTaint, path: FieldPath): FieldError[] {
  const errors = [...validateLabelName(key, path.child("key")), ...labelValueErrors(value, path.child("value"))];
  if (effect === "") return [...errors, required(path.child("effect"), "")];
  return [...errors, ...effectErrors(effect, path.child("effect"))];
}

/** Upstream's `validateDeviceToleration`. */
export function deviceTolerationErrors(toleration: DeviceToleration, path: FieldPath): FieldError[] {
  const { key = "", operator = "", value = "", effect = "" } = toleration;
  const errors = key === "" ? [] : [...validateLabelName(key, path.child("key"))];
  const operatorPath = path.child("operator");
  if (operator === "Equal") errors.push(...labelValueErrors(value, path.child("value")));
  else if (operator === "Exists") {
    if (value !== "") errors.push(invalid(path.child("value"), value, "must be empty for operator `Exists`"));
  } else if (operator === "") errors.push(required(operatorPath, ""));
  else errors.push(notSupported(operatorPath, operator, OPERATORS));
  return effect === "" ? errors : [...errors, ...effectErrors(effect, path.child("effect"))];
}

function effectErrors(effect: string, path: FieldPath): FieldError[] {
  return EFFECTS.includes(effect) ? [] : [notSupported(path, effect, EFFECTS)];
}

function labelValueErrors(value: string, path: FieldPath): FieldError[] {
  return value === "" ? [] : invalidEach(path, value, isValidLabelValue(value));
}
