import type { ConditionCompiler } from "#apiserver/admission/webhook/match-conditions.ts";

/**
 * The place of CEL in match conditions. Until expressions can be evaluated, each fails as upstream's do that cannot be:
 * by the webhook's failure policy the request is refused, or the webhook not called.
 */
export const compileMatchCondition: ConditionCompiler = (expression) => () => {
  throw new Error(`expression '${expression}' resulted in error: expressions are not evaluated`);
};
