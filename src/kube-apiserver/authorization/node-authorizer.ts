import type { Pod } from "#api/generated/core/v1.ts";
import { parseFieldSelector } from "#apimachinery/fields/selector.ts";
import type { AuthorizationAttributes, Authorizer, Decision } from "#apiserver/authorization/authorizer.ts";
import { type PolicyRule, ruleAllows } from "#apiserver/authorization/policy-rule.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { UserInfo } from "#apiserver/request/request-info.ts";
import { podReferences } from "./pod-references.ts";

const ALLOW: Decision = { decision: "allow", reason: "" };
const NODE_PREFIX = "system:node:";

/** The node that a user is; undefined for users that are none. */
export function nodeNameOf(user: UserInfo): string | undefined {
  return user.name.startsWith(NODE_PREFIX) && user.groups.includes("system:nodes")
    ? user.name.slice(NODE_PREFIX.length)
    : undefined;
}

/** What every node may do, whichever it is: the part of upstream's `NodeRules` that no relation guards. */
const NODE_RULES: readonly PolicyRule[] = [
  { apiGroups: ["authentication.k8s.io"], resources: ["tokenreviews"], verbs: ["create"] },
  { apiGroups: ["authorization.k8s.io"], resources: ["localsubjectaccessreviews", "subjectaccessreviews"], verbs: ["create"] },
  { apiGroups: [""], resources: ["services"], verbs: ["get", "list", "watch"] },
  { apiGroups: [""], resources: ["nodes"], verbs: ["create", "get", "list", "watch", "update", "patch"] },
  { apiGroups: [""], resources: ["nodes/status"], verbs: ["update", "patch"] },
  { apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: ["create", "update", "patch"] },
  { apiGroups: [""], resources: ["pods"], verbs: ["create", "delete"] },
  { apiGroups: [""], resources: ["pods/status"], verbs: ["update", "patch"] },
  { apiGroups: [""], resources: ["pods/eviction"], verbs: ["create"] },
  { apiGroups: [""], resources: ["persistentvolumeclaims/status"], verbs: ["get", "update", "patch"] },
  { apiGroups: ["certificates.k8s.io"], resources: ["certificatesigningrequests"], verbs: ["create", "get", "list", "watch"] },
  { apiGroups: ["storage.k8s.io"], resources: ["csidrivers"], verbs: ["get", "list", "watch"] },
  { apiGroups: ["node.k8s.io"], resources: ["runtimeclasses"], verbs: ["get", "list", "watch"] },
];

/** Lets a node see and change what belongs to it and to its pods (upstream's node authorizer). */
export function nodeAuthorizer(stores: Stores): Authorizer {
  return {
    authorize(asked) {
      const node = nodeNameOf(asked.user);
      if (node === undefined || !asked.isResourceRequest) return noOpinion("");
      return authorizeNode(stores, node, asked);
    },
  };
}

function authorizeNode(stores: Stores, node: string, asked: AuthorizationAttributes): Decision {
  const resource = `${asked.apiGroup}/${asked.resource}`;
  const related = (kind: RelatedKind): Decision => authorizeRelated(stores, node, asked, kind);
  switch (resource) {
    case "/secrets":
      return related("secrets");
    case "/configmaps":
      return related("configmaps");
    case "/persistentvolumeclaims":
      return asked.subresource === "status" ? byRule(asked) : related("persistentvolumeclaims");
    case "/serviceaccounts":
      return asked.subresource === "token" ? authorizeToken(stores, node, asked) : related("serviceaccounts");
    case "/pods":
      return asked.subresource === "" ? authorizePods(stores, node, asked) : byRule(asked);
    case "coordination.k8s.io/leases":
      return authorizeOwn(
        asked,
        node,
        asked.namespace === "kube-node-lease",
        'can only access leases in the "kube-node-lease" system namespace',
      );
    case "storage.k8s.io/csinodes":
      return authorizeOwn(asked, node, true, "");
    default:
      return byRule(asked);
  }
}

type RelatedKind = "secrets" | "configmaps" | "persistentvolumeclaims" | "serviceaccounts";

function byRule(asked: AuthorizationAttributes): Decision {
  return NODE_RULES.some((rule) => ruleAllows(rule, asked)) ? ALLOW : noOpinion("");
}

function noOpinion(reason: string): Decision {
  return { decision: "no-opinion", reason };
}

function authorizeRelated(stores: Stores, node: string, asked: AuthorizationAttributes, kind: RelatedKind): Decision {
  if (!["get", "list", "watch"].includes(asked.verb)) return noOpinion("can only read resources of this type");
  if (asked.subresource !== "") return noOpinion("cannot read subresource");
  if (asked.name === "") return noOpinion("No Object name found");
  const name = asked.name;
  const has = podsOf(stores, node, asked.namespace).some((pod) => podReferences(pod)[kind].includes(name));
  return has ? ALLOW : noOpinion(`no relationship found between node '${node}' and this object`);
}

function authorizeToken(stores: Stores, node: string, asked: AuthorizationAttributes): Decision {
  if (asked.verb !== "create" || asked.name === "") return noOpinion("can only create tokens for individual service accounts");
  const has = podsOf(stores, node, asked.namespace).some((pod) => pod.spec?.serviceAccountName === asked.name);
  return has ? ALLOW : noOpinion(`no relationship found between node '${node}' and this object`);
}

function authorizePods(stores: Stores, node: string, asked: AuthorizationAttributes): Decision {
  if (asked.verb === "list" || asked.verb === "watch") {
    if (selectsNode(asked.fieldSelector, node)) return ALLOW;
    if (asked.name === "") return noOpinion("can only list/watch pods with spec.nodeName field selector");
  }
  if (["get", "list", "watch"].includes(asked.verb)) {
    const pod = stores.of<Pod>("", "pods").cached(asked.namespace, asked.name);
    return pod?.spec?.nodeName === node ? ALLOW : noOpinion(`no relationship found between node '${node}' and this object`);
  }
  return byRule(asked);
}

function authorizeOwn(asked: AuthorizationAttributes, node: string, inPlace: boolean, reason: string): Decision {
  if (!inPlace) return noOpinion(reason);
  if (asked.verb === "create" || (["get", "update", "patch", "delete"].includes(asked.verb) && asked.name === node)) return ALLOW;
  return noOpinion("can only access node lease with the same name as the requesting node");
}

function selectsNode(selector: string | undefined, node: string): boolean {
  if (selector === undefined) return false;
  try {
    const { requirements } = parseFieldSelector(selector);
    return requirements.some((r) => r.field === "spec.nodeName" && r.operator === "=" && r.value === node);
  } catch {
    return false;
  }
}

function podsOf(stores: Stores, node: string, namespace: string): readonly Pod[] {
  return stores
    .of<Pod>("", "pods")
    .listCached(namespace)
    .filter((pod) => pod.spec?.nodeName === node);
}
