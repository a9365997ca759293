import type { MatchResources, ParamKind, ParamRef } from "#api/generated/admissionregistration/v1.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { Authorizer } from "../../authorization/authorizer.ts";
import type { AdmissionAttributes } from "../admission.ts";
import type { NamespaceLabels } from "../webhook/invocation.ts";
import { type MatchCriteria, type MatchedVersion, matchResources } from "./match-resources.ts";
import { collectParams, type ParamSources, paramKindText } from "./policy-params.ts";

/** What policies need of the server. */
export interface PolicyModules {
  readonly authorizer: Authorizer;
  readonly namespaceLabels: NamespaceLabels;
  /** A namespace as expressions see it; undefined for one that is not there. */
  readonly namespaceObject: (name: string) => object | undefined;
  readonly params: ParamSources;
}

/** A binding of either kind. */
export interface PolicyBinding {
  readonly metadata: { readonly name?: string };
  readonly spec?: { readonly paramRef?: ParamRef; readonly matchResources?: MatchResources };
}

/** A policy of either kind with its bindings. */
export interface BoundPolicy<B extends PolicyBinding> {
  readonly name: string;
  readonly paramKind: ParamKind | undefined;
  readonly failurePolicy: "Fail" | "Ignore";
  readonly criteria: MatchCriteria;
  readonly bindings: readonly { readonly binding: B; readonly criteria: MatchCriteria }[];
}

/** A policy that is about a request, with one set of parameters. */
export interface PolicyHit<P, B> {
  readonly policy: P;
  readonly binding: B;
  readonly matched: MatchedVersion;
  readonly param: ApiObject | undefined;
}

/** A policy, or a binding of it, of which nobody can say what it is about. */
export interface Misconfigured<P, B> {
  readonly policy: P;
  readonly binding: B | undefined;
  readonly message: string;
}

/** What is to be evaluated for a request, in order. What is misconfigured is left out where failures are ignored. */
export function policyHits<B extends PolicyBinding, P extends BoundPolicy<B>>(
  policies: readonly P[],
  attributes: AdmissionAttributes,
  modules: PolicyModules,
): (PolicyHit<P, B> | Misconfigured<P, B>)[] {
  return policies.flatMap((policy) => {
    const hits = hitsOf<B, P>(policy, attributes, modules);
    return policy.failurePolicy === "Ignore" ? hits.filter((hit) => !("message" in hit)) : hits;
  });
}

function hitsOf<B extends PolicyBinding, P extends BoundPolicy<B>>(
  policy: P,
  attributes: AdmissionAttributes,
  modules: PolicyModules,
): (PolicyHit<P, B> | Misconfigured<P, B>)[] {
  const failed = (binding: B | undefined, why: string): Misconfigured<P, B>[] => {
    return [{ policy, binding, message: `failed to configure ${binding === undefined ? "policy" : "binding"}: ${why}` }];
  };
  const { paramKind } = policy;
  const { namespaceLabels } = modules;
  let matched: MatchedVersion | undefined;
  try {
    matched = matchResources(policy.criteria, attributes, namespaceLabels);
  } catch (thrown) {
    return failed(undefined, messageOf(thrown));
  }
  if (matched === undefined) return [];
  const version = matched;
  const source = paramKind === undefined ? undefined : modules.params(paramKind);
  if (paramKind !== undefined && source === undefined) {
    return failed(undefined, `failed to find resource referenced by paramKind: '${paramKindText(paramKind)}'`);
  }
  return policy.bindings.flatMap(({ binding, criteria }): (PolicyHit<P, B> | Misconfigured<P, B>)[] => {
    try {
      if (matchResources(criteria, attributes, namespaceLabels) === undefined) return [];
      const params = collectParams(source, binding.spec?.paramRef, attributes.namespace);
      return params.map((param) => ({ policy, binding, matched: version, param }));
    } catch (thrown) {
      return failed(binding, messageOf(thrown));
    }
  });
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
