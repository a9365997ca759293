import type { HorizontalPodAutoscalerBehavior, HPAScalingPolicy, HPAScalingRules } from "#api/generated/autoscaling/v2.ts";
import { parseQuantity, quantityMilliValue } from "#apimachinery/resource/quantity.ts";
import type { History, ScaleEvent } from "./history.ts";

/** Upstream's `--horizontal-pod-autoscaler-downscale-stabilization`, in seconds. */
const DOWNSCALE_STABILIZATION_SECONDS = 300;
/** Upstream's `--horizontal-pod-autoscaler-tolerance`. */
const TOLERANCE = 0.1;

/** How far usage may be from its target before anything changes, as parts of one. */
export interface Tolerances {
  readonly up: number;
  readonly down: number;
}

/** Of each direction its own, or the controller's (KEP-4951). */
export function tolerances(behavior: HorizontalPodAutoscalerBehavior | undefined): Tolerances {
  return { up: toleranceOf(behavior?.scaleUp), down: toleranceOf(behavior?.scaleDown) };
}

function toleranceOf(rules: HPAScalingRules | undefined): number {
  return rules?.tolerance === undefined ? TOLERANCE : quantityMilliValue(parseQuantity(rules.tolerance)) / 1000;
}

/** How long recommendations are heeded when scaling up, and when scaling down. */
export function stabilizationSeconds(behavior: HorizontalPodAutoscalerBehavior | undefined): readonly [up: number, down: number] {
  return [
    behavior?.scaleUp?.stabilizationWindowSeconds ?? 0,
    behavior?.scaleDown?.stabilizationWindowSeconds ?? DOWNSCALE_STABILIZATION_SECONDS,
  ];
}

/** The longest period that a direction's policies look back, in milliseconds. */
export function longestPeriodMs(rules: HPAScalingRules | undefined): number {
  return 1000 * Math.max(0, ...(rules?.policies ?? []).map(({ periodSeconds }) => periodSeconds));
}

/** The most replicas that the policies allow now. Upstream's `calculateScaleUpLimitWithScalingRules`. */
export function scaleUpLimit(current: number, history: History, rules: HPAScalingRules | undefined, nowMs: number): number {
  if (rules?.selectPolicy === "Disabled") return current;
  const proposals = (rules?.policies ?? []).map((policy) => {
    const start = replicasAtStart(policy, current, history, nowMs);
    // Rounded up, or a small target would never grow.
    return policy.type === "Percent" ? Math.ceil(start * (1 + policy.value / 100)) : start + policy.value;
  });
  return rules?.selectPolicy === "Min" ? Math.min(...proposals) : Math.max(...proposals);
}

/** The fewest replicas that the policies allow now. Upstream's `calculateScaleDownLimitWithBehaviors`. */
export function scaleDownLimit(current: number, history: History, rules: HPAScalingRules | undefined, nowMs: number): number {
  if (rules?.selectPolicy === "Disabled") return current;
  const proposals = (rules?.policies ?? []).map((policy) => {
    const start = replicasAtStart(policy, current, history, nowMs);
    return policy.type === "Percent" ? Math.trunc(start * (1 - policy.value / 100)) : start - policy.value;
  });
  return rules?.selectPolicy === "Min" ? Math.max(...proposals) : Math.min(...proposals);
}

function replicasAtStart({ periodSeconds }: HPAScalingPolicy, current: number, { ups, downs }: History, nowMs: number): number {
  const changed = (events: readonly ScaleEvent[]): number =>
    events.reduce((sum, { change, atMs }) => (atMs > nowMs - periodSeconds * 1000 ? sum + change : sum), 0);
  return current - changed(ups) + changed(downs);
}
