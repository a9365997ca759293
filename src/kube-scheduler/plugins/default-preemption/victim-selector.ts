import type { PodDisruptionBudget } from "#api/generated/policy/v1.ts";
import type { LabelSelector } from "#apimachinery/labels/selector.ts";
import { budgetSelector } from "#component-helpers/pod/budget-selector.ts";

/**
 * The pods that a budget keeps from being victims; undefined for none. An empty selector, which means all pods to evictions, means none
 * here (`filterPodsWithPDBViolation` of upstream's `default_preemption.go`).
 */
export function victimSelector(budget: PodDisruptionBudget): LabelSelector | undefined {
  const selector = budgetSelector(budget);
  return selector?.empty ? undefined : selector;
}
