import { loadedKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import type { Structural } from "../schema/structural.ts";
import { schemaHas } from "../schema/walk.ts";
import { compileRuleEvaluator, type RuleEvaluator } from "./evaluate-rules.ts";

/** The rules that a version's schema has for objects. */
export interface CustomRules {
  readonly evaluate: RuleEvaluator;
  /** What was forgiven when this object was judged. */
  readonly warningsFor: (object: object) => string[];
}

/** The rules of a schema, compiled when the first object is judged; undefined when it has none. Expressions are loaded by then. */
export function customRules(schema: Structural | undefined): CustomRules | undefined {
  if (schema === undefined) return undefined;
  const { props } = schema;
  if (!schemaHas(props, (one) => (one["x-kubernetes-validations"] ?? []).length > 0)) return undefined;
  let compiled: RuleEvaluator | undefined;
  const forgiven = new WeakMap<object, string[]>();
  return {
    evaluate(object, old) {
      compiled ??= compileRuleEvaluator(props, loadedKubernetesCel());
      const judgement = compiled?.(object, old) ?? { errors: [], warnings: [] };
      const { warnings } = judgement;
      if (warnings.length > 0 && typeof object === "object" && object !== null) {
        forgiven.set(
          object,
          warnings.map(({ field, message }) => `${field}: ${message}`),
        );
      }
      return judgement;
    },
    warningsFor: (object) => forgiven.get(object) ?? [],
  };
}
