import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from "#api/generated/admissionregistration/v1.ts";
import { PolicyCompiler, type PolicyExpression } from "#apimachinery/cel/admission/policy-compiler.ts";
import type { KubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { BOOL, NULL, STRING } from "#apimachinery/cel/types.ts";
import { OutOfBudget, PolicyActivation, type PolicyInput, type PolicyResult } from "../cel/policy-activation.ts";
import { matchCriteria } from "./match-resources.ts";
import { evaluateMatchConditions, MATCH_CONDITIONS_COST_MAX } from "./policy-conditions.ts";
import type { BoundPolicy } from "./policy-hits.ts";

/** What all validations of a policy may cost together, as upstream's `RuntimeCELCostBudget`. */
export const POLICY_COST_MAX = 10_000_000;

/** How long a message may be, in bytes. */
const MESSAGE_BYTES_MAX = 5 * 1024;

type Spec = NonNullable<ValidatingAdmissionPolicy["spec"]>;

interface CompiledValidation {
  readonly expression: PolicyExpression;
  readonly messageExpression: PolicyExpression | undefined;
  readonly message: string;
  readonly reason: string | undefined;
}

/** A policy with its bindings, ready to judge. */
export interface ValidatingPolicy extends BoundPolicy<ValidatingAdmissionPolicyBinding> {
  readonly variables: ReadonlyMap<string, PolicyExpression>;
  readonly conditions: readonly PolicyExpression[];
  readonly validations: readonly CompiledValidation[];
  readonly annotations: readonly { readonly key: string; readonly expression: PolicyExpression }[];
}

/** Compiles a policy. What does not compile fails when it is asked for. */
export function compileValidatingPolicy(
  policy: ValidatingAdmissionPolicy,
  bindings: readonly ValidatingAdmissionPolicyBinding[],
  cel: KubernetesCel,
): ValidatingPolicy {
  const { spec = {} as Spec } = policy;
  const compiler = new PolicyCompiler(cel, spec.paramKind !== undefined);
  const variables = new Map(
    (spec.variables ?? []).map(({ name, expression }) => [name, compiler.variable(name, expression)] as const),
  );
  const all = { authorizer: true, variables: true };
  return {
    name: policy.metadata.name ?? "",
    paramKind: spec.paramKind,
    failurePolicy: spec.failurePolicy === "Ignore" ? "Ignore" : "Fail",
    criteria: matchCriteria(spec.matchConstraints),
    bindings: bindings.map((binding) => ({ binding, criteria: matchCriteria(binding.spec?.matchResources) })),
    variables,
    conditions: (spec.matchConditions ?? []).map(({ expression }) => compiler.compile(expression, all, [BOOL])),
    validations: (spec.validations ?? []).map(({ expression, message = "", messageExpression = "", reason }) => ({
      expression: compiler.compile(expression, all, [BOOL]),
      messageExpression:
        messageExpression === "" ? undefined : compiler.compile(messageExpression, { ...all, authorizer: false }, [STRING]),
      message,
      reason,
    })),
    annotations: (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
      key,
      expression: compiler.compile(valueExpression, all, [STRING, NULL]),
    })),
  };
}

/** A validation that did not hold, or that could not be evaluated. */
export interface Denial {
  /** Of the validation; 0 for the policy as a whole. */
  readonly index: number;
  readonly message: string;
  /** Undefined for what could not be evaluated. */
  readonly reason: string | undefined;
}

/** What a policy says of a request. */
export interface PolicyJudgement {
  readonly denials: readonly Denial[];
  readonly annotations: readonly { readonly key: string; readonly value: string }[];
  /** Annotations that could not be evaluated; denials whatever the binding's actions are. */
  readonly annotationErrors: readonly string[];
}

const NOTHING: PolicyJudgement = { denials: [], annotations: [], annotationErrors: [] };

/** Holds a request against a policy, with one set of parameters. Upstream's `validator.Validate`. */
export function judge(policy: ValidatingPolicy, input: PolicyInput): PolicyJudgement {
  try {
    const conditions = new PolicyActivation(
      { ...input, namespaceObject: undefined },
      policy.variables,
      MATCH_CONDITIONS_COST_MAX,
    );
    const matched = evaluateMatchConditions(policy.conditions, conditions, policy.failurePolicy);
    if ("error" in matched) return denied(policy, matched.error);
    if (!matched.matches) return NOTHING;
    const activation = new PolicyActivation(input, policy.variables, POLICY_COST_MAX);
    const results = policy.validations.map(({ expression }) => activation.evaluate(expression));
    const denials = policy.validations.flatMap(
      (validation, index) => denial(policy, validation, index, results[index], activation) ?? [],
    );
    return { denials, ...annotate(policy, input) };
  } catch (thrown) {
    if (!(thrown instanceof OutOfBudget)) throw thrown;
    return denied(policy, thrown.message);
  }
}

function denied({ failurePolicy }: ValidatingPolicy, message: string): PolicyJudgement {
  return failurePolicy === "Ignore" ? NOTHING : { ...NOTHING, denials: [{ index: 0, message, reason: undefined }] };
}

function denial(
  { failurePolicy }: ValidatingPolicy,
  validation: CompiledValidation,
  index: number,
  result: PolicyResult | undefined,
  activation: PolicyActivation,
): Denial | undefined {
  if (result === undefined) return undefined;
  if ("error" in result) return failurePolicy === "Ignore" ? undefined : { index, message: result.error, reason: undefined };
  if (result.value === true) return undefined;
  return { index, message: messageOf(validation, activation), reason: validation.reason ?? "Invalid" };
}

function messageOf({ expression, messageExpression, message }: CompiledValidation, activation: PolicyActivation): string {
  const result = messageExpression && activation.evaluate(messageExpression);
  const told = result !== undefined && "value" in result && typeof result.value === "string" ? result.value.trim() : "";
  const good = !told.includes("\n") && new TextEncoder().encode(told).length <= MESSAGE_BYTES_MAX;
  return (good ? told : "") || message.trim() || `failed expression: ${expression.source.trim()}`;
}

function annotate(policy: ValidatingPolicy, input: PolicyInput): Pick<PolicyJudgement, "annotations" | "annotationErrors"> {
  const activation = new PolicyActivation(input, policy.variables, POLICY_COST_MAX);
  const annotations: { key: string; value: string }[] = [];
  const annotationErrors: string[] = [];
  for (const { key, expression } of policy.annotations) {
    const result = activation.evaluate(expression);
    if ("error" in result) {
      if (policy.failurePolicy === "Fail") annotationErrors.push(result.error);
    } else if (typeof result.value === "string" && result.value.trim() !== "")
      annotations.push({ key, value: result.value.trim() });
  }
  return { annotations, annotationErrors };
}
