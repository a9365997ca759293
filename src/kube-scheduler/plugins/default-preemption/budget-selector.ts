import type { PodDisruptionBudget } from "#api/generated/policy/v1.ts";
import { type LabelSelector, labelSelectorFromObject } from "#apimachinery/labels/selector.ts";

/**
 * The pods that a budget keeps from being victims; undefined for none. An empty selector, which means all pods to evictions, means none
 * here, and so does one that cannot be read (`filterPodsWithPDBViolation` of upstream's `default_preemption.go`).
 */
export function budgetSelector({ spec }: PodDisruptionBudget): LabelSelector | undefined {
  try {
    const selector = labelSelectorFromObject(spec?.selector);
    return selector.empty ? undefined : selector;
  } catch {
    return undefined;
  }
}
