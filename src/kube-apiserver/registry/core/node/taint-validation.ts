import type { Taint } from "#api/generated/core/v1.ts";
import { duplicate, type FieldError, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isValidLabelValue } from "#apimachinery/validation/names.ts";
import { qualifiedNameErrors } from "../pod/validation/field-checks.ts";

const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/** Upstream's `validateNodeTaints`. */
export function validateTaints(taints: readonly Taint[], path: FieldPath): FieldError[] {
  const seen = new Set<string>();
  return taints.flatMap((taint, i) => {
    const at = path.index(i);
    const errors = qualifiedNameErrors(taint.key, at.child("key"));
    const wrong = isValidLabelValue(taint.value ?? "");
    if (wrong.length > 0) errors.push(invalid(at.child("value"), taint.value, wrong.join(";")));
    errors.push(...effectErrors(taint.effect ?? "", at.child("effect")));
    const id = `${taint.effect} ${taint.key}`;
    if (seen.has(id)) {
      const { type, field, message } = duplicate(at, internalForm(taint));
      errors.push({ type, field, message: `${message}: taints must be unique by key and effect pair` });
    }
    seen.add(id);
    return errors;
  });
}

/** The effect of a taint, which must be set. */
export function effectErrors(effect: string, path: FieldPath): FieldError[] {
  if (effect === "") return [required(path, "")];
  return EFFECTS.includes(effect) ? [] : [notSupported(path, effect, EFFECTS)];
}

function internalForm(taint: Taint): Record<string, unknown> {
  return { Key: taint.key, Value: taint.value ?? "", Effect: taint.effect, TimeAdded: taint.timeAdded ?? null };
}
