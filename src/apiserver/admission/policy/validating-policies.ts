import type { ValidatingAdmissionPolicyBinding } from "#api/generated/admissionregistration/v1.ts";
import { StatusError, type StatusReason } from "#apimachinery/api-errors/status.ts";
import type { AskAuthorizer } from "#apimachinery/cel/library/authorizer.ts";
import { converting } from "../../conversion/conversion-memo.ts";
import { type AdmissionAttributes, type AdmissionPlugin, admissionForbidden } from "../admission.ts";
import { evaluateAsking } from "../cel/waiting-authorizer.ts";
import { isExemptFromWebhooks } from "../webhook/invocation.ts";
import { type PolicyHit, type PolicyModules, policyHits } from "./policy-hits.ts";
import { policyInput } from "./policy-input.ts";
import { type Denial, judge, type ValidatingPolicy } from "./validating-policy.ts";

type Binding = ValidatingAdmissionPolicyBinding;

/** Options of {@link validatingPolicies}. */
export interface ValidatingPoliciesOptions extends PolicyModules {
  /** What is configured now, with bindings. Undefined while there is nothing. */
  readonly policies: () => Promise<readonly ValidatingPolicy[]> | undefined;
}

/** Holds requests against ValidatingAdmissionPolicies (KEP-3488). */
export function validatingPolicies(options: ValidatingPoliciesOptions): AdmissionPlugin {
  return {
    name: "ValidatingAdmissionPolicy",
    validate: (attributes) => {
      const policies = options.policies();
      if (policies === undefined || isExemptFromWebhooks(attributes)) return undefined;
      return validate(options, policies, attributes);
    },
  };
}

async function validate(
  options: ValidatingPoliciesOptions,
  policies: Promise<readonly ValidatingPolicy[]>,
  attributes: AdmissionAttributes,
): Promise<void> {
  const known = await policies;
  const { context } = attributes;
  const judged = (ask: AskAuthorizer): Verdict => {
    const made = new Verdict();
    for (const hit of policyHits<Binding, ValidatingPolicy>(known, attributes, options)) {
      if ("message" in hit) made.refuse(hit.policy, hit.binding, { message: hit.message, reason: undefined });
      else made.hit(hit, attributes, options, ask);
    }
    return made;
  };
  const verdict = await converting(() => evaluateAsking(options.authorizer, context.user, judged));
  verdict.tell(attributes);
}

interface Refusal {
  readonly message: string;
  readonly reason: string | undefined;
}

/** How much of an annotation is kept, in bytes. */
const ANNOTATION_MAX = 10 * 1024;

/** How many failures are told to the audit log. */
const AUDITED_MAX = 50;

/** What all policies say of a request; nothing is told before all is known. */
class Verdict {
  readonly #refusals: Refusal[] = [];
  readonly #warnings: string[] = [];
  readonly #audited: object[] = [];
  readonly #annotations = new Map<string, Set<string>>();

  hit(
    hit: PolicyHit<ValidatingPolicy, Binding>,
    attributes: AdmissionAttributes,
    modules: PolicyModules,
    ask: AskAuthorizer,
  ): void {
    const { policy, binding, matched, param } = hit;
    const { denials, annotations, annotationErrors } = judge(policy, policyInput(attributes, matched, modules, param, ask));
    for (const denial of denials) this.#denial(policy, binding, denial);
    for (const { key, value } of annotations) {
      const path = `${policy.name}/${key}`;
      const values = this.#annotations.get(path) ?? new Set();
      this.#annotations.set(path, values.add(value.slice(0, ANNOTATION_MAX)));
    }
    for (const message of annotationErrors) this.refuse(policy, binding, { message, reason: undefined });
  }

  refuse({ name }: ValidatingPolicy, binding: Binding | undefined, { message, reason }: Refusal): void {
    const by = binding === undefined ? "" : ` with binding '${binding.metadata.name}'`;
    this.#refusals.push({ message: `ValidatingAdmissionPolicy '${name}'${by} denied request: ${message}`, reason });
  }

  #denial(policy: ValidatingPolicy, binding: Binding, denial: Denial): void {
    const { validationActions = [] } = binding.spec ?? {};
    const { message, index: expressionIndex } = denial;
    const bindingName = binding.metadata.name ?? "";
    for (const action of validationActions) {
      if (action === "Deny") this.refuse(policy, binding, denial);
      else if (action === "Warn") {
        this.#warnings.push(
          `Validation failed for ValidatingAdmissionPolicy '${policy.name}' with binding '${bindingName}': ${message}`,
        );
      } else if (action === "Audit" && this.#audited.length < AUDITED_MAX) {
        this.#audited.push({ message, policy: policy.name, binding: bindingName, expressionIndex, validationActions });
      }
    }
  }

  /** Warnings and annotations first; throws the first refusal. */
  tell(attributes: AdmissionAttributes): void {
    const { context } = attributes;
    context.warnings.push(...this.#warnings);
    for (const [key, values] of this.#annotations) context.annotate?.(key, [...values].join(", "));
    if (this.#audited.length > 0) {
      context.annotate?.("validation.policy.admission.k8s.io/validation_failure", JSON.stringify(this.#audited));
    }
    const [first] = this.#refusals;
    if (first !== undefined) throw refusal(attributes, first);
  }
}

const CODES: Readonly<Record<string, number>> = { Unauthorized: 401, Forbidden: 403, RequestEntityTooLarge: 413 };
const INVALID_CODE = 422;

function refusal(attributes: AdmissionAttributes, { message, reason = "Invalid" }: Refusal): StatusError {
  const { status } = admissionForbidden(attributes, message);
  const causes = [...(status.details?.causes ?? []), { message }];
  return new StatusError({
    ...status,
    reason: reason as StatusReason,
    code: CODES[reason] ?? INVALID_CODE,
    details: { ...status.details, causes },
  });
}
