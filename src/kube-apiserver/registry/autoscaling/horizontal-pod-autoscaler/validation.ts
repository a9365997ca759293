import type { HorizontalPodAutoscaler, HPAScalingPolicy, HPAScalingRules } from "#api/generated/autoscaling/v2.ts";
import { parseQuantity, quantityCompare } from "#apimachinery/resource/quantity.ts";
import { type FieldError, forbidden, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { nonNegativeErrors } from "../../core/pod/validation/field-checks.ts";
import { validateMetric } from "./metric-validation.ts";
import { validateObjectReference } from "./object-reference.ts";

/** The longest period of a scaling policy. */
const PERIOD_SECONDS_MAX = 1800;
/** The longest time over which recommendations are looked at. */
const STABILIZATION_WINDOW_SECONDS_MAX = 3600;
const SELECT_POLICIES = ["Disabled", "Max", "Min"];
const POLICY_TYPES = ["Percent", "Pods"];
const spec = FieldPath.of("spec");
const ZERO = parseQuantity("0");

/** Upstream's `ValidateHorizontalPodAutoscaler` without the metadata rules. */
export function validateAutoscaler(autoscaler: HorizontalPodAutoscaler): FieldError[] {
  return validateSpec(autoscaler, false);
}

/** An API version of the target that was bad before may stay so. */
export function validateAutoscalerUpdate(autoscaler: HorizontalPodAutoscaler, old: HorizontalPodAutoscaler): FieldError[] {
  const path = spec.child("scaleTargetRef");
  const wasWrong = validateObjectReference(old.spec?.scaleTargetRef, path, false).some(
    ({ field }) => field === `${path.child("apiVersion")}`,
  );
  return validateSpec(autoscaler, wasWrong);
}

/** Upstream's `ValidateHorizontalPodAutoscalerStatusUpdate`. */
export function validateAutoscalerStatus({ status }: HorizontalPodAutoscaler): FieldError[] {
  return [
    ...nonNegativeErrors(status?.currentReplicas, FieldPath.of("status", "currentReplicas")),
    ...nonNegativeErrors(status?.desiredReplicas, FieldPath.of("status", "desiredReplicas")),
  ];
}

function validateSpec(autoscaler: HorizontalPodAutoscaler, anyApiVersion: boolean): FieldError[] {
  const { minReplicas, maxReplicas = 0, scaleTargetRef, metrics, behavior } = autoscaler.spec ?? {};
  const errors: FieldError[] = [];
  if (minReplicas !== undefined && minReplicas < 1) {
    errors.push(invalid(spec.child("minReplicas"), minReplicas, "must be greater than or equal to 1"));
  }
  const max = spec.child("maxReplicas");
  if (maxReplicas === 0) errors.push(required(max, "must be set and greater than 0"));
  else if (maxReplicas < 0) errors.push(invalid(max, maxReplicas, "must be greater than or equal to 1"));
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    errors.push(invalid(max, maxReplicas, "must be greater than or equal to `minReplicas`"));
  }
  const target = spec.child("scaleTargetRef");
  const ofTarget = validateObjectReference(scaleTargetRef, target, false);
  errors.push(...ofTarget.filter(({ field }) => !anyApiVersion || field !== `${target.child("apiVersion")}`));
  errors.push(...(metrics ?? []).flatMap((metric, i) => validateMetric(metric, spec.child("metrics").index(i))));
  if (minReplicas === 0 && !metrics?.some(({ type }) => type === "Object" || type === "External")) {
    const detail = "must specify at least one Object or External metric to support scaling to zero replicas";
    errors.push(forbidden(spec.child("metrics"), detail));
  }
  const path = spec.child("behavior");
  return [
    ...errors,
    ...validateRules(behavior?.scaleUp, path.child("scaleUp")),
    ...validateRules(behavior?.scaleDown, path.child("scaleDown")),
  ];
}

function validateRules(rules: HPAScalingRules | undefined, path: FieldPath): FieldError[] {
  if (!rules) return [];
  const { stabilizationWindowSeconds: window = 0, selectPolicy, policies, tolerance } = rules;
  const errors: FieldError[] = [];
  const windowPath = path.child("stabilizationWindowSeconds");
  if (window < 0) errors.push(invalid(windowPath, window, "must be greater than or equal to zero"));
  if (window > STABILIZATION_WINDOW_SECONDS_MAX) {
    errors.push(invalid(windowPath, window, `must be less than or equal to ${STABILIZATION_WINDOW_SECONDS_MAX}`));
  }
  if (selectPolicy !== undefined && !SELECT_POLICIES.includes(selectPolicy)) {
    errors.push(notSupported(path.child("selectPolicy"), selectPolicy, SELECT_POLICIES));
  }
  const at = path.child("policies");
  if (!policies?.length) errors.push(required(at, "must specify at least one Policy"));
  else errors.push(...policies.flatMap((policy, i) => validatePolicy(policy, at.index(i))));
  if (tolerance !== undefined && quantityCompare(parseQuantity(tolerance), ZERO) < 0) {
    errors.push(invalid(path.child("tolerance"), tolerance, "must be greater than or equal to 0"));
  }
  return errors;
}

function validatePolicy({ type = "", value = 0, periodSeconds = 0 }: HPAScalingPolicy, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (!POLICY_TYPES.includes(type)) errors.push(notSupported(path.child("type"), type, POLICY_TYPES));
  if (value <= 0) errors.push(invalid(path.child("value"), value, "must be greater than zero"));
  const period = path.child("periodSeconds");
  if (periodSeconds <= 0) errors.push(invalid(period, periodSeconds, "must be greater than zero"));
  if (periodSeconds > PERIOD_SECONDS_MAX) {
    errors.push(invalid(period, periodSeconds, `must be less than or equal to ${PERIOD_SECONDS_MAX}`));
  }
  return errors;
}
