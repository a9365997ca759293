import type { PodDisruptionBudget } from "#api/generated/policy/v1.ts";
import { type LabelSelector, labelSelectorFromObject } from "#apimachinery/labels/selector.ts";

/**
 * The pods of its namespace that a budget is for, by policy/v1: all with an empty selector. Undefined for none: without a selector, or
 * with one that cannot be read (`getPodDisruptionBudgets` of upstream's `eviction.go`).
 */
export function budgetSelector({ spec }: PodDisruptionBudget): LabelSelector | undefined {
  if (!spec?.selector) return undefined;
  try {
    return labelSelectorFromObject(spec.selector);
  } catch {
    return undefined;
  }
}
