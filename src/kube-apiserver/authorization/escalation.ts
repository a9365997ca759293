import { forbidden, notFound } from "#apimachinery/api-errors/errors.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { AdmissionAttributes, AdmissionPluginFactory } from "#apiserver/admission/admission.ts";
import type { AuthorizationAttributes, Authorizer } from "#apiserver/authorization/authorizer.ts";
import { compactRules, formatRule, type PolicyRule, uncoveredRules } from "#apiserver/authorization/policy-rule.ts";
import type { RbacAuthorizer } from "#apiserver/authorization/rbac-authorizer.ts";
import type { UserInfo } from "#apiserver/request/request-info.ts";

const GROUP = "rbac.authorization.k8s.io";
const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];

/**
 * Nobody may grant what they do not have (upstream's `policybased` storage of the RBAC kinds): writing a role needs all
 * its rights or the verb `escalate`, binding one needs all its rights or the verb `bind`.
 */
export function rbacEscalationCheck(rbac: RbacAuthorizer, authorizer: Authorizer): AdmissionPluginFactory {
  const check = async (attributes: AdmissionAttributes): Promise<void> => {
    const { group, subresource, operation, object, oldObject, resource, context } = attributes;
    if (group !== GROUP || subresource !== "" || object === undefined || (operation !== "CREATE" && operation !== "UPDATE"))
      return;
    if (context.user.groups.includes("system:masters") || changesOnlyMetadata(object, oldObject)) return;
    if (resource === "roles" || resource === "clusterroles") await checkRole(rbac, authorizer, attributes, object);
    if (resource === "rolebindings" || resource === "clusterrolebindings")
      await checkBinding(rbac, authorizer, attributes, object);
  };
  // Upstream refuses before the object is validated: this runs with the plugins that change objects, as the last of them.
  return () => ({
    name: "RBACEscalation",
    mutate: (attributes) => (attributes.group === GROUP ? check(attributes) : undefined),
  });
}

function changesOnlyMetadata(object: ApiObject, old: ApiObject | undefined): boolean {
  if (old === undefined) return false;
  const content = ({ metadata: _, ...rest }: ApiObject): string => JSON.stringify(Object.entries(rest).sort());
  return content(object) === content(old);
}

async function checkRole(
  rbac: RbacAuthorizer,
  authorizer: Authorizer,
  attributes: AdmissionAttributes,
  role: ApiObject,
): Promise<void> {
  const { context, resource, namespace } = attributes;
  const escalate = question(context.user, "escalate", resource, context.info.name, namespace);
  if ((await authorizer.authorize(escalate)).decision === "allow") return;
  const name = role.metadata.name ?? "";
  const problem = escalation(rbac, context.user, namespace, (role.rules ?? []) as readonly PolicyRule[]);
  if (problem !== undefined) throw forbidden({ group: GROUP, resource }, name, problem);
  if (
    resource === "clusterroles" &&
    role.aggregationRule &&
    escalation(rbac, context.user, namespace, EVERYTHING) !== undefined
  ) {
    throw forbidden({ group: GROUP, resource }, name, "must have cluster-admin privileges to use the aggregationRule");
  }
}

async function checkBinding(
  rbac: RbacAuthorizer,
  authorizer: Authorizer,
  attributes: AdmissionAttributes,
  binding: ApiObject,
): Promise<void> {
  const { context, resource, namespace } = attributes;
  const roleRef = (binding.roleRef ?? {}) as { readonly kind?: string; readonly name?: string };
  const { kind = "", name = "" } = roleRef;
  const bind = question(context.user, "bind", `${kind.toLowerCase()}s`, name, namespace);
  if ((await authorizer.authorize(bind)).decision === "allow") return;
  const rules = rbac.rulesOfRole(namespace, { kind, name });
  if (rules === undefined) throw notFound({ group: GROUP, resource }, name);
  const problem = escalation(rbac, context.user, namespace, rules);
  if (problem !== undefined) throw forbidden({ group: GROUP, resource }, binding.metadata.name ?? "", problem);
}

function question(user: UserInfo, verb: string, resource: string, name: string, namespace: string): AuthorizationAttributes {
  return {
    user,
    verb,
    isResourceRequest: true,
    namespace,
    apiGroup: GROUP,
    apiVersion: "*",
    resource,
    subresource: "",
    name,
    path: "",
  };
}

function escalation(rbac: RbacAuthorizer, user: UserInfo, namespace: string, wanted: readonly PolicyRule[]): string | undefined {
  const held = rbac.rulesFor(user, namespace);
  const missing = uncoveredRules(held.rules, wanted);
  if (missing.length === 0) return undefined;
  const lines = [...new Set(compactRules(missing).map(formatRule))].sort();
  const groups = user.groups.map((group) => JSON.stringify(group)).join(" ");
  const errors = held.errors.length === 0 ? "" : `; resolution errors: [${held.errors.join(", ")}]`;
  return `user ${JSON.stringify(user.name)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${lines.join("\n")}${errors}`;
}
