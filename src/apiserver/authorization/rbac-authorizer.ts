import { aggregateMessages, notFound } from "#apimachinery/api-errors/errors.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { UserInfo } from "../request/request-info.ts";
import type { AuthorizationAttributes, Authorizer, Decision } from "./authorizer.ts";
import { BindingIndex, type BindingMatch } from "./binding-index.ts";
import type { PolicyRule } from "./policy-rule.ts";
import { type AppliedBinding, RbacAnswers } from "./rbac-answers.ts";
import type { RbacSource } from "./rbac-source.ts";

const RBAC_GROUP = "rbac.authorization.k8s.io";
const NO_OPINION: Decision = { decision: "no-opinion", reason: "" };

/** Role-based access control over ClusterRoleBindings and, within a namespace, RoleBindings. */
export class RbacAuthorizer implements Authorizer {
  readonly #source: RbacSource;
  readonly #index: BindingIndex;
  readonly #answers = new RbacAnswers();

  constructor(source: RbacSource) {
    this.#source = source;
    this.#index = new BindingIndex(source);
  }

  authorize(attributes: AuthorizationAttributes): Decision {
    const { user, namespace } = attributes;
    return this.#answers.answer(attributes, this.#source.rulesVersion(), () => this.#applied(user, namespace), refusal);
  }

  /** Everything that the user may do in a namespace, and why that may not be all. */
  rulesFor(user: UserInfo, namespace: string): { readonly rules: readonly PolicyRule[]; readonly errors: readonly string[] } {
    const found: PolicyRule[] = [];
    const errors: string[] = [];
    for (const { rules, error } of this.#visit(user, namespace)) {
      if (error !== undefined) errors.push(error);
      found.push(...rules);
    }
    return { rules: found, errors };
  }

  /** The rules of the role that a binding refers to; `namespace` is the binding's. */
  rulesOfRole(namespace: string, roleRef: { readonly kind: string; readonly name: string }): readonly PolicyRule[] | undefined {
    return this.#source.rules(roleRef.kind === "ClusterRole" ? "" : namespace, roleRef.name);
  }

  *#applied(user: UserInfo, namespace: string): Iterable<AppliedBinding> {
    for (const { match, rules, error } of this.#visit(user, namespace)) {
      const allowed = (): Decision => ({ decision: "allow", reason: `RBAC: allowed by ${describeMatch(match)}` });
      yield { rules, allowed, ...(error === undefined ? {} : { error }) };
    }
  }

  *#visit(user: UserInfo, namespace: string): Iterable<{ match: BindingMatch; rules: readonly PolicyRule[]; error?: string }> {
    for (const match of this.#index.find("", user)) yield this.#resolve(match);
    if (namespace === "") return;
    for (const match of this.#index.find(namespace, user)) yield this.#resolve(match);
  }

  #resolve(match: BindingMatch): { match: BindingMatch; rules: readonly PolicyRule[]; error?: string } {
    const { roleRef, metadata } = match.binding;
    const rules = this.rulesOfRole(metadata.namespace ?? "", roleRef);
    if (rules !== undefined) return { match, rules };
    return {
      match,
      rules: [],
      error: notFound({ group: RBAC_GROUP, resource: roleRef.kind.toLowerCase() }, roleRef.name).message,
    };
  }
}

function refusal(errors: readonly string[]): Decision {
  return errors.length === 0 ? NO_OPINION : { decision: "no-opinion", reason: `RBAC: ${aggregateMessages(errors)}` };
}

function describeMatch({ binding, subject }: BindingMatch): string {
  const { name = "", namespace } = binding.metadata;
  const kind = namespace === undefined ? "ClusterRoleBinding" : "RoleBinding";
  const bindingName = namespace === undefined ? name : `${name}/${namespace}`;
  const subjectName =
    subject.kind === "ServiceAccount" ? `${subject.name}/${subject.namespace || (namespace ?? "")}` : subject.name;
  return `${kind} ${goQuote(bindingName)} of ${binding.roleRef.kind} ${goQuote(binding.roleRef.name)} to ${subject.kind} ${goQuote(subjectName)}`;
}
