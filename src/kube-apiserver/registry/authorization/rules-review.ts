import { badRequest } from "#apimachinery/api-errors/errors.ts";
import type { PolicyRule } from "#apiserver/authorization/policy-rule.ts";
import type { VirtualResource } from "#apiserver/registry/resource.ts";
import type { UserInfo } from "#apiserver/request/request-info.ts";

/** Everything a user may do in a namespace, as far as it can be told. */
export interface RuleResolver {
  rulesFor(user: UserInfo, namespace: string): { readonly rules: readonly PolicyRule[]; readonly errors: readonly string[] };
}

/** `selfsubjectrulesreviews`: what the asking user may do in a namespace. `incomplete` says why the answer cannot be whole. */
export function selfSubjectRulesReviews(
  resolver: RuleResolver,
  incomplete: (user: UserInfo) => string | undefined,
): VirtualResource {
  return {
    group: "authorization.k8s.io",
    version: "v1",
    kind: "SelfSubjectRulesReview",
    plural: "selfsubjectrulesreviews",
    singular: "selfsubjectrulesreview",
    scope: "Cluster",
    async create(body, context) {
      const { namespace } = (body.spec ?? {}) as { namespace?: string };
      if (!namespace) throw badRequest("no namespace on request");
      const { rules, errors } = resolver.rulesFor(context.user, namespace);
      const gap = incomplete(context.user);
      const problems = gap === undefined ? errors : [gap, ...errors];
      return {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectRulesReview",
        metadata: {},
        spec: {},
        status: {
          resourceRules: rules.filter((rule) => (rule.resources ?? []).length > 0).map(resourceRule),
          nonResourceRules: rules.filter((rule) => (rule.nonResourceURLs ?? []).length > 0).map(nonResourceRule),
          incomplete: gap !== undefined,
          ...(problems.length === 0 ? {} : { evaluationError: problems.join(", ") }),
        },
      };
    },
  };
}

function resourceRule({ verbs, apiGroups, resources, resourceNames }: PolicyRule): object {
  return { verbs, apiGroups, resources, ...((resourceNames ?? []).length > 0 ? { resourceNames } : {}) };
}

function nonResourceRule({ verbs, nonResourceURLs }: PolicyRule): object {
  return { verbs, nonResourceURLs };
}
