import type { MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding } from "#api/generated/admissionregistration/v1.ts";
import { PolicyCompiler, type PolicyExpression } from "#apimachinery/cel/admission/policy-compiler.ts";
import type { KubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { BOOL } from "#apimachinery/cel/types.ts";
import { CelError } from "#apimachinery/cel/values.ts";
import type { ApiObject, GroupVersionKind } from "#apimachinery/meta/api-object.ts";
import type { StructSchema } from "#apimachinery/schema/type-schema.ts";
import { JSON_PATCHES, OBJECT, withPatchTypes } from "../cel/patch-types.ts";
import { OutOfBudget, PolicyActivation, type PolicyInput } from "../cel/policy-activation.ts";
import { applyConfigurationPatch } from "./apply-configuration-patch.ts";
import { patchObject } from "./json-patch-mutation.ts";
import { matchCriteria } from "./match-resources.ts";
import { evaluateMatchConditions, MATCH_CONDITIONS_COST_MAX } from "./policy-conditions.ts";
import type { BoundPolicy } from "./policy-hits.ts";
import { POLICY_COST_MAX } from "./validating-policy.ts";

type Spec = NonNullable<MutatingAdmissionPolicy["spec"]>;

/** One mutation of a policy. */
export interface CompiledMutation {
  readonly isApply: boolean;
  readonly expression: PolicyExpression;
}

/** A policy with its bindings, ready to change objects. */
export interface MutatingPolicy extends BoundPolicy<MutatingAdmissionPolicyBinding> {
  /** Asked again when others changed the object after it. */
  readonly reinvocable: boolean;
  readonly variables: ReadonlyMap<string, PolicyExpression>;
  readonly conditions: readonly PolicyExpression[];
  readonly mutations: readonly CompiledMutation[];
}

/** Compiles a policy. What does not compile fails when it is asked for. */
export function compileMutatingPolicy(
  policy: MutatingAdmissionPolicy,
  bindings: readonly MutatingAdmissionPolicyBinding[],
  cel: KubernetesCel,
): MutatingPolicy {
  const { spec = {} as Spec } = policy;
  const compiler = new PolicyCompiler(cel, spec.paramKind !== undefined, withPatchTypes);
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
    reinvocable: spec.reinvocationPolicy === "IfNeeded",
    variables,
    conditions: (spec.matchConditions ?? []).map(({ expression }) => compiler.compile(expression, all, [BOOL])),
    mutations: (spec.mutations ?? []).map(({ patchType, applyConfiguration, jsonPatch }) => {
      const isApply = patchType === "ApplyConfiguration";
      const source = (isApply ? applyConfiguration?.expression : jsonPatch?.expression) ?? "";
      return { isApply, expression: compiler.compile(source, all, [isApply ? OBJECT : JSON_PATCHES]) };
    }),
  };
}

/** Whether a policy's match conditions let it change the object, or why nobody can say. */
export function mayMutate(policy: MutatingPolicy, input: PolicyInput): ReturnType<typeof evaluateMatchConditions> {
  const seen = { ...input, namespaceObject: undefined };
  try {
    const activation = new PolicyActivation(seen, policy.variables, MATCH_CONDITIONS_COST_MAX);
    return evaluateMatchConditions(policy.conditions, activation, policy.failurePolicy);
  } catch (thrown) {
    return { error: failureText(thrown) };
  }
}

/** What a mutation makes of an object. */
export interface MutationOutcome {
  /** Not decoded yet; undefined where nothing is to be changed. */
  readonly patched?: unknown;
  readonly error?: string;
}

/** Runs one mutation on an object in the version that the policy named. */
export function runMutation(
  { variables }: MutatingPolicy,
  { isApply, expression }: CompiledMutation,
  input: PolicyInput & { readonly object: ApiObject },
  kind: GroupVersionKind,
  schema: StructSchema,
): MutationOutcome {
  try {
    const result = new PolicyActivation(input, variables, POLICY_COST_MAX).evaluate(expression);
    if ("error" in result) return { error: result.error };
    const { object } = input;
    return {
      patched: isApply ? applyConfigurationPatch(result.value, object, kind, schema) : patchObject(result.value, object),
    };
  } catch (thrown) {
    return { error: failureText(thrown) };
  }
}

/** Authorizers that take their time are none of ours: what they throw is passed on. */
function failureText(thrown: unknown): string {
  if (thrown instanceof OutOfBudget || thrown instanceof CelError || thrown instanceof Error) return thrown.message;
  throw thrown;
}
