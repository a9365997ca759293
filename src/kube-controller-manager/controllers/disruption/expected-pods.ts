import type { IntOrString } from "#api/generated/meta/v1.ts";
import type { PodDisruptionBudgetSpec } from "#api/generated/policy/v1.ts";
import { scaledIntOrPercent } from "#apimachinery/meta/int-or-string.ts";

/** How many pods there should be, and how many of them must stay healthy. */
export interface Expectation {
  readonly expectedPods: number;
  readonly desiredHealthy: number;
}

/** Whether the budget is a part of the scale of the pods' controllers, and not of the pods that there are. */
export function needsScale({ minAvailable, maxUnavailable }: PodDisruptionBudgetSpec): boolean {
  return maxUnavailable !== undefined || typeof minAvailable === "string";
}

/** Upstream's `getExpectedPodCount`: `scale` is the sum over the pods' controllers, `pods` the number of selected pods. */
export function expectation(spec: PodDisruptionBudgetSpec, scale: number, pods: number): Expectation {
  const { minAvailable, maxUnavailable } = spec;
  if (maxUnavailable !== undefined) {
    return { expectedPods: scale, desiredHealthy: Math.max(0, scale - scaled(maxUnavailable, scale)) };
  }
  if (typeof minAvailable === "number") return { expectedPods: pods, desiredHealthy: minAvailable };
  if (minAvailable === undefined) return { expectedPods: 0, desiredHealthy: 0 };
  return { expectedPods: scale, desiredHealthy: scaled(minAvailable, scale) };
}

function scaled(value: IntOrString, total: number): number {
  return scaledIntOrPercent(value, total, true);
}
