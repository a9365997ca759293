import { expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { AuthorizationAttributes, Decision } from "#apiserver/authorization/authorizer.ts";
import { type CacheEntry, entryFromValue } from "#apiserver/cacher/cache-entry.ts";
import type { WatchConsumer } from "#apiserver/cacher/watch-group.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import { nodeAuthorizer } from "./node-authorizer.ts";
import { NodeGraph } from "./node-graph.ts";

const OBJECTS: Record<string, object> = {
  "persistentvolumeclaims/ns/c": { spec: { volumeName: "v" } },
  "persistentvolumes//v": {
    spec: { claimRef: { namespace: "ns", name: "c" }, csi: { nodePublishSecretRef: { namespace: "ns", name: "csi" } } },
  },
  "persistentvolumes//other": { spec: { claimRef: { namespace: "ns", name: "d" } } },
  "volumeattachments//a": { spec: { nodeName: "n1" } },
  "resourceslices//s": { spec: { nodeName: "n1" } },
  "podcertificaterequests/ns/mine": { spec: { nodeName: "n1" } },
  "podcertificaterequests/ns/others": { spec: { nodeName: "n2" } },
};
const stores = {
  of: (_group: string, resource: string) => ({
    cached: (namespace: string, name: string) => OBJECTS[`${resource}/${namespace}/${name}`] as ApiObject,
  }),
} as unknown as Stores;

const pod = (name: string, nodeName: string, annotations = {}): Pod => ({
  metadata: { name, namespace: "ns", uid: name, annotations },
  spec: {
    nodeName,
    serviceAccountName: "sa",
    containers: [{ name: "c", envFrom: [{ secretRef: { name: `of-${name}` } }] }],
    volumes: [{ name: "v", persistentVolumeClaim: { claimName: "c" } }],
    resourceClaims: [{ name: "gpu", resourceClaimName: "claim" }],
  },
});

const entryOf = (object: Pod): CacheEntry => {
  const { name = "", namespace = "" } = object.metadata ?? {};
  const value = Buffer.from(JSON.stringify({ apiVersion: "v1", kind: "Pod", ...object }));
  const prefix = "/registry/pods/";
  return entryFromValue(prefix.length, `${prefix}${namespace}/${name}`, 1, value);
};

let consumer: WatchConsumer | undefined;
const graph = new NodeGraph(stores, () => ({
  list: () => [pod("p", "n1"), pod("mirror", "n1", { "kubernetes.io/config.mirror": "h" }), pod("q", "n2")].map(entryOf),
  watch: (_filter, given) => {
    consumer = given;
    return () => {};
  },
}));
const authorizer = nodeAuthorizer(stores, graph);

/** `what`: `group/resource[/subresource][:name]`. */
function asked(verb: string, what: string, fieldSelector?: string, user = "system:node:n1"): Decision {
  const [target = "", name = ""] = what.split(":");
  const [apiGroup = "", resource = "", subresource = ""] = target.split("/");
  const clusterWide = ["nodes", "persistentvolumes", "volumeattachments", "resourceslices", "csinodes"].includes(resource);
  const namespace = clusterWide ? "" : resource === "leases" ? "kube-node-lease" : "ns";
  const attributes: AuthorizationAttributes = {
    user: { name: user, uid: "", groups: ["system:nodes"], extra: {} },
    verb,
    isResourceRequest: true,
    namespace,
    apiGroup,
    apiVersion: "v1",
    resource,
    subresource,
    name,
    path: "",
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  };
  return authorizer.authorize(attributes) as Decision;
}

const YES = "";
const UNRELATED = "no relationship found between node 'n1' and this object";

test.each<[string, string, string, string?]>([
  ["get", "/secrets:of-p", YES],
  ["watch", "/secrets:of-p", YES],
  ["get", "/secrets:of-q", UNRELATED],
  ["get", "/secrets:of-mirror", UNRELATED],
  ["get", "/secrets:csi", YES],
  ["list", "/secrets", "No Object name found"],
  ["update", "/secrets:of-p", "can only read resources of this type"],
  ["get", "/persistentvolumeclaims:c", YES],
  ["watch", "/persistentvolumeclaims:c", "can only get individual resources of this type"],
  ["patch", "/persistentvolumeclaims/status:c", YES],
  ["get", "/persistentvolumes:v", YES],
  ["get", "/persistentvolumes:other", UNRELATED],
  ["get", "resource.k8s.io/resourceclaims:claim", YES],
  ["get", "storage.k8s.io/volumeattachments:a", YES],
  ["create", "/serviceaccounts/token:sa", YES],
  ["create", "/serviceaccounts/token:other", UNRELATED],
  ["get", "/serviceaccounts:sa", YES],
  ["list", "/serviceaccounts", "can only create tokens for individual service accounts"],
  ["get", "/pods:p", YES],
  ["get", "/pods:mirror", YES],
  ["get", "/pods:q", UNRELATED],
  ["list", "/pods", YES, "spec.nodeName=n1"],
  ["list", "/pods", "can only list/watch pods with spec.nodeName field selector", "spec.nodeName=n2"],
  ["update", "/pods/status:q", YES],
  ["get", "/nodes:n1", YES],
  ["get", "/nodes:n2", "node 'n1' cannot read 'n2', only its own Node object"],
  ["list", "/nodes", "node 'n1' cannot read all nodes, only its own Node object"],
  ["delete", "/nodes:n1", "-"],
  ["update", "coordination.k8s.io/leases:n1", YES],
  ["update", "coordination.k8s.io/leases:n2", "can only access node lease with the same name as the requesting node"],
  ["list", "coordination.k8s.io/leases", "can only get, create, update, patch, or delete a node lease"],
  ["get", "storage.k8s.io/csinodes:n2", "can only access CSINode with the same name as the requesting node"],
  ["delete", "resource.k8s.io/resourceslices:s", YES],
  ["list", "resource.k8s.io/resourceslices", YES, "spec.nodeName=n1"],
  ["create", "certificates.k8s.io/podcertificaterequests", YES],
  ["get", "certificates.k8s.io/podcertificaterequests:mine", YES],
  ["get", "certificates.k8s.io/podcertificaterequests:others", UNRELATED],
  ["list", "certificates.k8s.io/podcertificaterequests", YES, "spec.nodeName=n1"],
  [
    "watch",
    "certificates.k8s.io/podcertificaterequests",
    "can only list/watch podcertificaterequests with nodeName field selector",
    "spec.nodeName=n2",
  ],
  ["delete", "certificates.k8s.io/podcertificaterequests:mine", "nodes may not delete podcertificaterequests"],
  [
    "update",
    "certificates.k8s.io/podcertificaterequests/status:mine",
    "nodes may not access the status subresource of PodCertificateRequests",
  ],
  ["list", "certificates.k8s.io/clustertrustbundles", YES],
  ["get", "/endpoints:e", YES],
  ["list", "/endpoints", "-"],
])("%s %s", (verb, what, want, selector) => {
  const { decision, reason } = asked(verb, what, selector);
  expect(decision === "allow" ? YES : reason || "-").toBe(want);
});

test("others are not judged, and a node without a name has no rights", () => {
  expect(asked("get", "/services:s", undefined, "jane").decision).toBe("no-opinion");
  expect(asked("get", "/services:s", undefined, "system:node:").reason).toBe('unknown node for user "system:node:"');
});

test("rights go with the pod", () => {
  const entry = { namespace: "ns", name: "late", object: pod("late", "n1") } as never;
  consumer?.onEvents([{ type: "ADDED", entry }], 2);
  expect(asked("get", "/secrets:of-late").decision).toBe("allow");
  consumer?.onEvents([{ type: "DELETED", entry }], 3);
  expect(asked("get", "/secrets:of-late").decision).toBe("no-opinion");
  expect(asked("get", "/secrets:of-p").decision).toBe("allow");
});

test("pods that are there are taken in in pieces, and what has changed meanwhile is as it is then", async () => {
  const annotations = { large: "x".repeat(100_000) };
  const all = ["a", "b", "c", "d"].map((name) => entryOf(pod(name, "n1", annotations)));
  let told: WatchConsumer | undefined;
  const many = new NodeGraph(stores, () => ({
    list: () => all,
    watch: (_filter, given) => {
      told = given;
      return () => {};
    },
  }));
  const related = (name: string): boolean => many.isRelated("n1", "secrets", "ns", `of-${name}`);
  const filling = many.ready();
  expect(filling).toBeInstanceOf(Promise);
  expect(many.ready()).toBe(filling);
  told?.onEvents([{ type: "DELETED", entry: all[3] as CacheEntry }], 2);
  told?.onEvents([{ type: "MODIFIED", entry: entryOf(pod("c", "n2")) }], 3);
  await filling;
  expect(many.ready()).toBeUndefined();
  expect(["a", "b", "c", "d"].map(related)).toEqual([true, true, false, false]);
  // They stay the bytes that they were.
  expect(all.filter(({ isDecoded }) => isDecoded)).toEqual([]);
});

test("who cannot wait is answered at once", async () => {
  const annotations = { large: "x".repeat(100_000) };
  const all = ["a", "b", "c", "d"].map((name) => entryOf(pod(name, "n1", annotations)));
  const many = new NodeGraph(stores, () => ({ list: () => all, watch: () => () => {} }));
  const filling = many.ready();
  expect(many.isRelated("n1", "secrets", "ns", "of-d")).toBe(true);
  await filling;
  expect(many.ready()).toBeUndefined();
});
