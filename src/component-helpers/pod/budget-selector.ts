import type { PodDisruptionBudget } from "#api/generated/policy/v1.ts";
import { type LabelSelector, labelSelectorFromObject } from "#apimachinery/labels/selector.ts";

/**
 * The pods that a budget guards against evictions and preemption; undefined for none. An empty selector means none here, though
 * the disruption controller counts all pods of the namespace for it, and so does one that cannot be read (`getPodDisruptionBudgets` of
 * upstream's `eviction.go`, `filterPodsWithPDBViolation` of its `default_preemption.go`).
 */
export function budgetSelector({ spec }: PodDisruptionBudget): LabelSelector | undefined {
  try {
    const selector = labelSelectorFromObject(spec?.selector);
    return selector.empty ? undefined : selector;
  } catch {
    return undefined;
  }
}
