import type { PodCertificateRequest } from "#api/generated/certificates/v1beta1.ts";
import type { ResourceSlice } from "#api/generated/resource/v1.ts";
import type { VolumeAttachment } from "#api/generated/storage/v1.ts";
import { parseFieldSelector } from "#apimachinery/fields/selector.ts";
import type { AuthorizationAttributes, Authorizer, Decision } from "#apiserver/authorization/authorizer.ts";
import { type PolicyRule, ruleAllows } from "#apiserver/authorization/policy-rule.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { UserInfo } from "#apiserver/request/request-info.ts";
import type { NodeGraph, RelatedResource } from "./node-graph.ts";

const ALLOW: Decision = { decision: "allow", reason: "" };
const NODE_PREFIX = "system:node:";

/** The node that a user is: empty for one without a name, undefined for users that are none. */
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
  { apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: ["create", "update", "patch"] },
  { apiGroups: [""], resources: ["endpoints"], verbs: ["get"] },
  { apiGroups: ["certificates.k8s.io"], resources: ["certificatesigningrequests"], verbs: ["create", "get", "list", "watch"] },
  // Upstream gives it where ClusterTrustBundles are on; where they are not served there is nothing to read.
  { apiGroups: ["certificates.k8s.io"], resources: ["clustertrustbundles"], verbs: ["get", "list", "watch"] },
  { apiGroups: ["storage.k8s.io"], resources: ["csidrivers"], verbs: ["get", "list", "watch"] },
  { apiGroups: ["node.k8s.io"], resources: ["runtimeclasses"], verbs: ["get", "list", "watch"] },
];

/** A question of one node. */
interface NodeQuestion {
  readonly node: string;
  readonly asked: AuthorizationAttributes;
  readonly graph: NodeGraph;
  readonly stores: Stores;
}

/** What nodes may do with each resource that is not the same for all of them. */
const RESOURCES: Readonly<Record<string, (question: NodeQuestion) => Decision>> = {
  "/secrets": (question) => readRelated(question, "secrets"),
  "/configmaps": (question) => readRelated(question, "configmaps"),
  "/persistentvolumeclaims": (question) =>
    question.asked.subresource === "status"
      ? updateRelatedStatus(question)
      : getRelated(question, () => isRelated(question, "persistentvolumeclaims")),
  "/persistentvolumes": (question) => getRelated(question, () => isRelated(question, "persistentvolumes")),
  "/serviceaccounts": serviceAccounts,
  "/nodes": nodes,
  "/pods": pods,
  "resource.k8s.io/resourceclaims": (question) => getRelated(question, () => isRelated(question, "resourceclaims")),
  "resource.k8s.io/resourceslices": resourceSlices,
  "storage.k8s.io/volumeattachments": (question) => getRelated(question, () => isAttachedHere(question)),
  "storage.k8s.io/csinodes": csiNodes,
  "coordination.k8s.io/leases": leases,
  "certificates.k8s.io/podcertificaterequests": podCertificateRequests,
};

/** Resources about whose objects the graph is asked. */
const RELATED: ReadonlySet<string> = new Set<RelatedResource>([
  "pods",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "persistentvolumes",
  "resourceclaims",
  "serviceaccounts",
]);

/** Lets a node see and change what belongs to it and to its pods (upstream's node authorizer). */
export function nodeAuthorizer(stores: Stores, graph: NodeGraph): Authorizer {
  return {
    authorize(asked) {
      const node = nodeNameOf(asked.user);
      if (node === undefined) return noOpinion("");
      if (node === "") return noOpinion(`unknown node for user ${JSON.stringify(asked.user.name)}`);
      const rule = asked.isResourceRequest ? RESOURCES[`${asked.apiGroup}/${asked.resource}`] : undefined;
      if (rule !== undefined) {
        const question = { node, asked, graph, stores };
        const filling = mayNeedGraph(asked) ? graph.ready() : undefined;
        return filling === undefined ? rule(question) : filling.then(() => rule(question));
      }
      return NODE_RULES.some((known) => ruleAllows(known, asked)) ? ALLOW : noOpinion("");
    },
  };
}

/** Nodes that only report, as simulated ones do, need not wait for it, nor have it made. */
function mayNeedGraph({ verb, resource, name }: AuthorizationAttributes): boolean {
  if (name === "" || !RELATED.has(resource)) return false;
  return resource === "pods" ? verb === "get" || verb === "list" || verb === "watch" : true;
}

function noOpinion(reason: string): Decision {
  return { decision: "no-opinion", reason };
}

function isRelated({ node, asked, graph }: NodeQuestion, resource: RelatedResource): boolean {
  return graph.isRelated(node, resource, asked.namespace, asked.name);
}

function ifRelated({ node, asked }: NodeQuestion, related: () => boolean): Decision {
  if (asked.name === "") return noOpinion("No Object name found");
  return related() ? ALLOW : noOpinion(`no relationship found between node '${node}' and this object`);
}

function readRelated(question: NodeQuestion, resource: RelatedResource): Decision {
  const { verb, subresource, namespace } = question.asked;
  if (!["get", "list", "watch"].includes(verb)) return noOpinion("can only read resources of this type");
  if (subresource !== "") return noOpinion("cannot read subresource");
  if (namespace === "") return noOpinion("can only read namespaced object of this type");
  return ifRelated(question, () => isRelated(question, resource));
}

function getRelated(question: NodeQuestion, related: () => boolean): Decision {
  const { verb, subresource } = question.asked;
  if (verb !== "get") return noOpinion("can only get individual resources of this type");
  if (subresource !== "") return noOpinion("cannot get subresource");
  return ifRelated(question, related);
}

function updateRelatedStatus(question: NodeQuestion): Decision {
  if (!["update", "patch"].includes(question.asked.verb)) return noOpinion("can only get/update/patch this type");
  return ifRelated(question, () => isRelated(question, "persistentvolumeclaims"));
}

function serviceAccounts(question: NodeQuestion): Decision {
  const { verb, subresource, name } = question.asked;
  if (verb === "get" && subresource === "") return readRelated(question, "serviceaccounts");
  if (verb !== "create" || name === "") return noOpinion("can only create tokens for individual service accounts");
  if (subresource !== "token") return noOpinion("can only create token subresource of serviceaccount");
  return ifRelated(question, () => isRelated(question, "serviceaccounts"));
}

/** The admission plugin NodeRestriction sees to it that a node writes none but its own Node. */
function nodes({ node, asked }: NodeQuestion): Decision {
  const { verb, subresource, name } = asked;
  if (subresource === "status") return ["update", "patch"].includes(verb) ? ALLOW : noOpinion("");
  if (subresource !== "") return noOpinion("");
  if (["create", "update", "patch"].includes(verb)) return ALLOW;
  if (!["get", "list", "watch"].includes(verb)) return noOpinion("");
  if (name === node) return ALLOW;
  return noOpinion(
    name === ""
      ? `node '${node}' cannot read all nodes, only its own Node object`
      : `node '${node}' cannot read '${name}', only its own Node object`,
  );
}

/** As for nodes, NodeRestriction looks at what is written. */
function pods(question: NodeQuestion): Decision {
  const { node, asked } = question;
  const { verb, subresource } = asked;
  if (subresource === "status") return ["update", "patch"].includes(verb) ? ALLOW : noOpinion("");
  if (subresource === "eviction") return verb === "create" ? ALLOW : noOpinion("");
  if (subresource !== "") return noOpinion("");
  if (verb === "create" || verb === "delete") return ALLOW;
  if (verb === "get") return getRelated(question, () => isRelated(question, "pods"));
  if (verb !== "list" && verb !== "watch") return noOpinion("");
  if (selects(asked.fieldSelector, "spec.nodeName", node)) return ALLOW;
  if (asked.name !== "") return ifRelated(question, () => isRelated(question, "pods"));
  return noOpinion("can only list/watch pods with spec.nodeName field selector");
}

function resourceSlices(question: NodeQuestion): Decision {
  const { node, asked, stores } = question;
  if (asked.subresource !== "") return noOpinion("cannot authorize ResourceSlice subresources");
  switch (asked.verb) {
    case "create":
      return ALLOW;
    case "get":
    case "update":
    case "patch":
    case "delete":
      return ifRelated(question, () => {
        const slice = stores.of<ResourceSlice>("resource.k8s.io", "resourceslices").cached("", asked.name);
        return slice?.spec?.nodeName === node;
      });
    case "watch":
    case "list":
    case "deletecollection":
      if (selects(asked.fieldSelector, "spec.nodeName", node) || selects(asked.fieldSelector, "nodeName", node)) return ALLOW;
      return noOpinion("can only list/watch/deletecollection resourceslices with nodeName field selector");
    default:
      return noOpinion(
        "only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection",
      );
  }
}

/** NodeRestriction looks at what is asked for. */
function podCertificateRequests(question: NodeQuestion): Decision {
  const { node, asked, stores } = question;
  if (stores.has?.(asked.apiGroup, asked.resource) === false) return noOpinion("");
  if (asked.subresource !== "") return noOpinion("nodes may not access the status subresource of PodCertificateRequests");
  switch (asked.verb) {
    case "create":
      return ALLOW;
    case "get":
      return ifRelated(question, () => {
        const requests = stores.of<PodCertificateRequest>("certificates.k8s.io", "podcertificaterequests");
        return requests.cached(asked.namespace, asked.name)?.spec.nodeName === node;
      });
    case "list":
    case "watch":
      if (selects(asked.fieldSelector, "spec.nodeName", node)) return ALLOW;
      return noOpinion("can only list/watch podcertificaterequests with nodeName field selector");
    default:
      return noOpinion(`nodes may not ${asked.verb} podcertificaterequests`);
  }
}

function isAttachedHere({ node, asked, stores }: NodeQuestion): boolean {
  const attachment = stores.of<VolumeAttachment>("storage.k8s.io", "volumeattachments").cached("", asked.name);
  return attachment?.spec.nodeName === node;
}

const OWN_VERBS = ["get", "create", "update", "patch", "delete"];

function csiNodes({ node, asked }: NodeQuestion): Decision {
  if (!OWN_VERBS.includes(asked.verb)) return noOpinion("can only get, create, update, patch, or delete a CSINode");
  if (asked.subresource !== "") return noOpinion("cannot authorize CSINode subresources");
  if (asked.verb === "create" || asked.name === node) return ALLOW;
  return noOpinion("can only access CSINode with the same name as the requesting node");
}

function leases({ node, asked }: NodeQuestion): Decision {
  if (!OWN_VERBS.includes(asked.verb)) return noOpinion("can only get, create, update, patch, or delete a node lease");
  if (asked.namespace !== "kube-node-lease") {
    return noOpinion('can only access leases in the "kube-node-lease" system namespace');
  }
  if (asked.verb === "create" || asked.name === node) return ALLOW;
  return noOpinion("can only access node lease with the same name as the requesting node");
}

function selects(selector: string | undefined, field: string, value: string): boolean {
  if (selector === undefined) return false;
  try {
    return parseFieldSelector(selector).requirements.some((r) => r.field === field && r.operator === "=" && r.value === value);
  } catch {
    return false;
  }
}
