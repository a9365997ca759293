import type { ValidationRule } from "#api/generated/apiextensions/v1.ts";
import { COST_EXCEEDED } from "#apimachinery/cel/program.ts";
import type { Variables } from "#apimachinery/cel/steps.ts";
import type { CompiledRule } from "./compile-rules.ts";
import { ruleText } from "./rule-errors.ts";

/** What one evaluation of a message may cost. */
const MESSAGE_COST_MAX = 1_000_000;

/** How long a message may be, in bytes. */
const MESSAGE_BYTES_MAX = 5 * 1024;

/** Why no further rules are evaluated. */
export const MESSAGE_BUDGET_SPENT =
  "messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run";

/** What to say of a rule that failed, and what it cost to say it. */
export interface RuleMessage {
  readonly text: string;
  readonly cost: number;
  /** Set when there is nothing left to evaluate further rules with. */
  readonly spent?: string;
}

/** The text that `messageExpression` gives, if that is a good one; otherwise `message`, or the rule itself. */
export function ruleMessage({ rule, message }: CompiledRule, variables: Variables, budget: number): RuleMessage {
  const fallback = defaultMessage(rule);
  if (message === undefined) return { text: fallback, cost: 0 };
  const outcome = message.run(variables, MESSAGE_COST_MAX);
  if (outcome.cost > budget) return { text: fallback, cost: 0, spent: MESSAGE_BUDGET_SPENT };
  if ("error" in outcome && outcome.error === COST_EXCEEDED) {
    const source = JSON.stringify(rule.messageExpression ?? "");
    const spent = `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${source}`;
    return { text: fallback, cost: 0, spent };
  }
  const { cost } = outcome;
  if (!("value" in outcome) || typeof outcome.value !== "string") return { text: fallback, cost };
  const text = outcome.value.trim();
  const good = text !== "" && !text.includes("\n") && new TextEncoder().encode(text).length <= MESSAGE_BYTES_MAX;
  return { text: good ? text : fallback, cost };
}

function defaultMessage(rule: ValidationRule): string {
  const { message = "" } = rule;
  return message === "" ? `failed rule: ${ruleText(rule)}` : message.trim();
}
