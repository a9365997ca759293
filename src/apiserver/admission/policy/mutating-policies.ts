import type { MutatingAdmissionPolicyBinding } from "#api/generated/admissionregistration/v1.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { AskAuthorizer } from "#apimachinery/cel/library/authorizer.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { converting } from "../../conversion/conversion-memo.ts";
import {
  type AdmissionAttributes,
  type AdmissionForms,
  type AdmissionPlugin,
  admissionForbidden,
  type Reinvocation,
} from "../admission.ts";
import { evaluateAsking } from "../cel/waiting-authorizer.ts";
import { replaceContent } from "../replace-content.ts";
import { Rounds } from "../rounds.ts";
import { isExemptFromWebhooks } from "../webhook/invocation.ts";
import { type CompiledMutation, type MutatingPolicy, type MutationOutcome, mayMutate, runMutation } from "./mutating-policy.ts";
import { type PolicyHit, type PolicyModules, policyHits } from "./policy-hits.ts";
import { policyInput } from "./policy-input.ts";

const NAME = "MutatingAdmissionPolicy";
const REFUSED_CODE = 403;

type Binding = MutatingAdmissionPolicyBinding;
type Hit = PolicyHit<MutatingPolicy, Binding>;

/** Options of {@link mutatingPolicies}. */
export interface MutatingPoliciesOptions extends PolicyModules {
  /** What is configured now, with bindings. Undefined while there is nothing. */
  readonly policies: () => Promise<readonly MutatingPolicy[]> | undefined;
}

/** Changes objects as MutatingAdmissionPolicies say (KEP-3962). */
export function mutatingPolicies(options: MutatingPoliciesOptions): AdmissionPlugin {
  return {
    name: NAME,
    mutate: (attributes, reinvocation) => {
      const policies = options.policies();
      const { object, forms } = attributes;
      if (policies === undefined || object === undefined || forms === undefined) return undefined;
      if (isExemptFromWebhooks(attributes)) return undefined;
      return mutate(new Mutation(options, { ...attributes, object, forms }), policies, reinvocation);
    },
  };
}

async function mutate(
  mutation: Mutation,
  policies: Promise<readonly MutatingPolicy[]>,
  reinvocation: Reinvocation,
): Promise<void> {
  const { attributes, options } = mutation;
  const known = await policies;
  const hits = await converting(() => policyHits<Binding, MutatingPolicy>(known, attributes, options));
  if (hits.length === 0) return;
  const rounds = Rounds.of(reinvocation, NAME);
  const { isReinvoke } = reinvocation;
  if (isReinvoke && rounds.changedSince(attributes.object)) rounds.requireAgain();
  try {
    for (const hit of hits) {
      if ("message" in hit) {
        mutation.refuse(hit.policy, hit.binding, hit.message);
        continue;
      }
      const key = `${hit.policy.name}\n${hit.binding.metadata.name}\n${hit.param?.metadata.namespace}/${hit.param?.metadata.name}`;
      if (isReinvoke && !rounds.again.has(key)) continue;
      const changed = await mutation.run(hit);
      if (changed === undefined) continue;
      if (changed) {
        rounds.requireAgain();
        reinvocation.shouldReinvoke = true;
      }
      if (hit.policy.reinvocable) rounds.invoked(key);
    }
  } finally {
    rounds.keep(attributes.object);
  }
  mutation.tell();
}

/** What all policies do to one object. */
class Mutation {
  readonly options: MutatingPoliciesOptions;
  readonly attributes: AdmissionAttributes & { readonly object: ApiObject; readonly forms: AdmissionForms };
  readonly #refusals: string[] = [];

  constructor(options: MutatingPoliciesOptions, attributes: Mutation["attributes"]) {
    this.options = options;
    this.attributes = attributes;
  }

  /** Whether the policy changed the object; undefined when its conditions keep it out. */
  async run(hit: Hit): Promise<boolean | undefined> {
    const { policy, binding, matched } = hit;
    const matches = await this.#ask((ask) => mayMutate(policy, this.#input(hit, ask)));
    if ("error" in matches) {
      this.refuse(policy, binding, matches.error);
      return undefined;
    }
    if (!matches.matches) return undefined;
    const { object, forms } = this.attributes;
    const shown = () => converting(() => forms.toVersion(object, matched.kind));
    const before = await shown();
    for (const mutation of policy.mutations) await this.#mutate(hit, mutation);
    return !semanticEqual(before, await shown());
  }

  async #mutate(hit: Hit, mutation: CompiledMutation): Promise<void> {
    const { policy, binding, matched } = hit;
    const { object, forms } = this.attributes;
    const { kind } = matched;
    const outcome = await this.#ask((ask): MutationOutcome => {
      const live = forms.toVersion(object, kind);
      return runMutation(policy, mutation, { ...this.#input(hit, ask), object: live }, kind, forms.schemaOf(kind));
    });
    if (outcome.patched !== undefined) {
      try {
        const { patched } = outcome;
        replaceContent(object, await converting(() => forms.fromVersion(deepCopy(patched), kind)));
        return;
      } catch (thrown) {
        this.#failed(policy, binding, thrown instanceof Error ? thrown.message : String(thrown));
      }
    }
    if (outcome.error !== undefined) this.#failed(policy, binding, outcome.error);
  }

  #input({ matched, param }: Hit, ask: AskAuthorizer): ReturnType<typeof policyInput> {
    return policyInput(this.attributes, matched, this.options, param, ask);
  }

  async #ask<T>(evaluate: (ask: AskAuthorizer) => T): Promise<T> {
    return converting(() => evaluateAsking(this.options.authorizer, this.attributes.context.user, evaluate));
  }

  #failed(policy: MutatingPolicy, binding: Binding, message: string): void {
    if (policy.failurePolicy === "Fail") this.refuse(policy, binding, message);
  }

  refuse({ name }: MutatingPolicy, binding: Binding | undefined, message: string): void {
    const by = binding === undefined ? "" : ` with binding '${binding.metadata.name}'`;
    this.#refusals.push(`policy '${name}'${by} denied request: ${message}`);
  }

  /** Throws the first refusal. */
  tell(): void {
    const [message] = this.#refusals;
    if (message === undefined) return;
    const { status } = admissionForbidden(this.attributes, message);
    const details = { ...status.details, causes: [{ message }] };
    throw new StatusError({ ...status, message, reason: "Invalid", code: REFUSED_CODE, details });
  }
}
