import type { PodDisruptionBudget } from "#api/generated/policy/v1.ts";
import { validateConditions } from "#apimachinery/validation/conditions.ts";
import { type FieldError, invalid, notSupported } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateLabelSelector } from "#apimachinery/validation/object-meta.ts";
import { intOrPercentErrors, notMoreThanAllErrors } from "../../apps/workload/template-validation.ts";
import { nonNegativeErrors } from "../../core/pod/validation/field-checks.ts";

const EVICTION_POLICIES = ["AlwaysAllow", "IfHealthyBudget"];
const spec = FieldPath.of("spec");

/** Upstream's `ValidatePodDisruptionBudget`. `old` may have selectors that new objects may not. */
export function validatePodDisruptionBudget(budget: PodDisruptionBudget, old?: PodDisruptionBudget): FieldError[] {
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy: policy } = budget.spec ?? {};
  const errors: FieldError[] = [];
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    errors.push(invalid(spec, inGoOrder(budget), "minAvailable and maxUnavailable cannot be both set"));
  }
  errors.push(...amountErrors(minAvailable, spec.child("minAvailable")));
  errors.push(...amountErrors(maxUnavailable, spec.child("maxUnavailable")));
  const selectorPath = spec.child("selector");
  const strict = { allowInvalidLabelValueInSelector: false };
  const wasInvalid = validateLabelSelector(old?.spec?.selector, strict, selectorPath).length > 0;
  errors.push(...validateLabelSelector(selector, { allowInvalidLabelValueInSelector: wasInvalid }, selectorPath));
  if (policy !== undefined && !EVICTION_POLICIES.includes(policy)) {
    errors.push(notSupported(spec.child("unhealthyPodEvictionPolicy"), policy, EVICTION_POLICIES));
  }
  return errors;
}

/** Upstream's `ValidatePodDisruptionBudgetStatusUpdate`. */
export function validatePodDisruptionBudgetStatus({ status }: PodDisruptionBudget): FieldError[] {
  const path = FieldPath.of("status");
  const errors = validateConditions(status?.conditions ?? [], path.child("conditions"));
  for (const field of ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] as const) {
    errors.push(...nonNegativeErrors(status?.[field], path.child(field)));
  }
  return errors;
}

function amountErrors(amount: number | string | undefined, path: FieldPath): FieldError[] {
  return [...intOrPercentErrors(amount, path), ...notMoreThanAllErrors(amount, path)];
}

function inGoOrder({
  spec: { minAvailable, selector, maxUnavailable, unhealthyPodEvictionPolicy } = {},
}: PodDisruptionBudget): object {
  return {
    MinAvailable: minAvailable ?? null,
    Selector: selector ?? null,
    MaxUnavailable: maxUnavailable ?? null,
    UnhealthyPodEvictionPolicy: unhealthyPodEvictionPolicy ?? null,
  };
}
