import { aggregateMessages } from "#apimachinery/api-errors/errors.ts";
import type { PolicyExpression } from "#apimachinery/cel/admission/policy-compiler.ts";
import type { PolicyActivation } from "../cel/policy-activation.ts";

/** What all match conditions of a policy may cost together, as upstream's `RuntimeCELCostBudgetMatchConditions`. */
export const MATCH_CONDITIONS_COST_MAX = 2_500_000;

/** Whether a policy's match conditions let it judge, or why nobody can say; failures count by the failure policy when no condition is false. */
export function evaluateMatchConditions(
  conditions: readonly PolicyExpression[],
  activation: PolicyActivation,
  failurePolicy: "Fail" | "Ignore",
): { readonly matches: boolean } | { readonly error: string } {
  const errors: string[] = [];
  for (const condition of conditions) {
    const result = activation.evaluate(condition);
    if ("error" in result) errors.push(result.error);
    else if (result.value === false) return { matches: false };
  }
  if (errors.length === 0) return { matches: true };
  return failurePolicy === "Ignore" ? { matches: false } : { error: aggregateMessages(errors) };
}
