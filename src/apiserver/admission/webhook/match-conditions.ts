import { aggregateMessages } from "#apimachinery/api-errors/errors.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { AdmissionAttributes } from "../admission.ts";

/** What an expression sees. */
export interface MatchInput {
  readonly attributes: AdmissionAttributes;
  /** In the version that the webhook asked for. */
  readonly object: ApiObject | undefined;
  readonly oldObject: ApiObject | undefined;
  /** The `AdmissionRequest` that the webhook would be sent, without the objects. */
  readonly request: object;
}

/** A condition that is ready to be asked. Throws an Error with upstream's text when it cannot be answered. */
export type CompiledCondition = (input: MatchInput) => boolean;

/** Makes conditions of expressions (CEL). Never throws: what does not compile throws when it is asked. */
export type ConditionCompiler = (expression: string) => CompiledCondition;

/** Whether a webhook is to be called by its match conditions, or why nobody can say (KEP-3716). */
export type MatchResult = { readonly matches: boolean } | { readonly error: string };

/** One false condition is enough not to call; failures count by the webhook's failure policy when none is false. */
export function evaluateConditions(
  conditions: readonly CompiledCondition[],
  input: MatchInput,
  failurePolicy: "Fail" | "Ignore",
): MatchResult {
  const errors: string[] = [];
  for (const condition of conditions) {
    try {
      if (!condition(input)) return { matches: false };
    } catch (error) {
      errors.push(error instanceof Error ? error.message : String(error));
    }
  }
  if (errors.length === 0) return { matches: true };
  return failurePolicy === "Ignore" ? { matches: false } : { error: aggregateMessages(errors) };
}
