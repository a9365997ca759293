import type { HorizontalPodAutoscaler, HPAScalingRules } from "#api/generated/autoscaling/v2.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { cpuUtilization, DEFAULT_CPU_UTILIZATION, V1_ANNOTATIONS } from "./v1-conversion.ts";

const SCALE_UP: HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: "Max",
  policies: [
    { type: "Pods", value: 4, periodSeconds: 15 },
    { type: "Percent", value: 100, periodSeconds: 15 },
  ],
};
/** How long to look back when scaling down is up to the controller manager's flag. */
const SCALE_DOWN: HPAScalingRules = {
  selectPolicy: "Max",
  policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
};

/** Defaults of `autoscaling/v2`, which ignores v1's annotations. Rules are filled in only where a behavior is given. */
export function setDefaults({ spec, metadata }: Draft<HorizontalPodAutoscaler>): void {
  if (metadata.annotations) for (const key of V1_ANNOTATIONS) delete metadata.annotations[key];
  spec.minReplicas ??= 1;
  if (!spec.metrics?.length) spec.metrics = [deepCopy(cpuUtilization(DEFAULT_CPU_UTILIZATION))];
  const { behavior } = spec;
  if (behavior === undefined) return;
  behavior.scaleUp = filledIn(SCALE_UP, behavior.scaleUp);
  behavior.scaleDown = filledIn(SCALE_DOWN, behavior.scaleDown);
}

function filledIn(defaults: HPAScalingRules, given: Draft<HPAScalingRules> | undefined): Draft<HPAScalingRules> {
  const rules: Draft<HPAScalingRules> = { ...deepCopy(defaults), ...given };
  // An empty list is given too, and refused later; none is not.
  rules.policies ??= deepCopy(defaults.policies ?? []);
  return rules;
}
