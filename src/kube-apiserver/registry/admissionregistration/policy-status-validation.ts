import type { ValidatingAdmissionPolicy } from "#api/generated/admissionregistration/v1.ts";
import { validateConditions } from "#apimachinery/validation/conditions.ts";
import { type FieldError, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";

const path = FieldPath.of("status");

/**
 * Upstream's `validateValidatingAdmissionPolicyStatus`, but for the grammar of `fieldRef`, which upstream only asks to be
 * some JSONPath.
 */
export function validateValidatingPolicyStatus({ status }: ValidatingAdmissionPolicy): FieldError[] {
  const warnings = path.child("typeChecking", "expressionWarnings");
  const errors: FieldError[] = [];
  for (const [i, { warning, fieldRef }] of (status?.typeChecking?.expressionWarnings ?? []).entries()) {
    if (!warning) errors.push(required(warnings.index(i).child("warning"), ""));
    if (!fieldRef?.trim()) errors.push(required(warnings.index(i).child("fieldRef"), ""));
  }
  return [...errors, ...validateConditions(status?.conditions ?? [], path.child("conditions"))];
}
