import { describe, expect, test } from "vitest";
import type { AdmissionAttributes, AdmissionModules } from "#apiserver/admission/admission.ts";
import type { Authorizer } from "#apiserver/authorization/authorizer.ts";
import { nodeRestriction } from "./node-restriction.ts";

type Objects = Readonly<Record<string, object>>;

/** What is stored, by plural and name. */
const STORED: Readonly<Record<string, Objects>> = {
  nodes: { n: { metadata: { name: "n", uid: "node-uid" } } },
  pods: {
    mine: {
      metadata: { name: "mine", namespace: "ns", uid: "pod-uid" },
      spec: {
        nodeName: "n",
        volumes: [
          {
            name: "t",
            projected: {
              sources: [{ serviceAccountToken: { path: "t" } }, { serviceAccountToken: { path: "v", audience: "vault" } }],
            },
          },
          { name: "c", csi: { driver: "d" } },
          { name: "p", persistentVolumeClaim: { claimName: "claim" } },
        ],
      },
    },
    other: { metadata: { name: "other", uid: "other-uid" }, spec: { nodeName: "m" } },
  },
  csidrivers: {
    d: { spec: { tokenRequests: [{ audience: "storage" }] } },
    e: { spec: { tokenRequests: [{ audience: "disks" }] } },
  },
  persistentvolumeclaims: { claim: { spec: { volumeName: "pv" } } },
  persistentvolumes: { pv: { spec: { csi: { driver: "e" } } } },
};

async function judge(request: object, user = "system:node:n", groups: readonly string[] = ["system:nodes"]): Promise<string> {
  const of = (_group: string, plural: string) => ({ cached: (_namespace: string, name: string) => STORED[plural]?.[name] });
  const authorizer: Authorizer = {
    authorize: ({ verb, resource }) => ({
      decision: verb.startsWith("request-") && resource === "granted" ? "allow" : "no-opinion",
      reason: "",
    }),
  };
  const plugin = nodeRestriction(authorizer)({ stores: { of } } as unknown as AdmissionModules);
  const attributes = {
    operation: "UPDATE",
    group: "",
    subresource: "",
    namespace: "ns",
    name: "n",
    context: { user: { name: user, groups } },
    ...request,
  };
  try {
    await plugin.mutate?.(attributes as unknown as AdmissionAttributes, undefined as never);
    return "";
  } catch (error) {
    return (error as Error).message.replace(/^.*? is forbidden: /, "");
  }
}

const mirror = (metadata: object = {}, spec: object = {}): object => ({
  metadata: {
    annotations: { "kubernetes.io/config.mirror": "x" },
    ownerReferences: [{ apiVersion: "v1", kind: "Node", name: "n", uid: "node-uid", controller: true }],
    ...metadata,
  },
  spec: { nodeName: "n", ...spec },
});
const owner = (more: object): object => ({
  ownerReferences: [{ apiVersion: "v1", kind: "Node", name: "n", uid: "node-uid", controller: true, ...more }],
});

interface Case {
  readonly name: string;
  readonly request: object;
  readonly want: string;
}

describe("pods", () => {
  const create = (object: object): object => ({ operation: "CREATE", resource: "pods", name: "p", object });
  const write = (operation: string, subresource: string, name: string, more: object = {}): object => ({
    operation,
    resource: "pods",
    subresource,
    name,
    ...more,
  });
  const status = (object: object, oldObject: object): object => write("UPDATE", "status", "p", { object, oldObject });
  test.each<Case>([
    { name: "its mirror", request: create(mirror()), want: "" },
    {
      name: "no mirror",
      request: create(mirror({ annotations: {} })),
      want: 'pod does not have "kubernetes.io/config.mirror" annotation, node "n" can only create mirror pods',
    },
    {
      name: "another's mirror",
      request: create(mirror({}, { nodeName: "m" })),
      want: 'node "n" can only create pods with spec.nodeName set to itself',
    },
    {
      name: "without owner",
      request: create(mirror({ ownerReferences: [] })),
      want: 'node "n" can only create pods with an owner reference set to itself',
    },
    {
      name: "of two owners",
      request: create(mirror({ ownerReferences: [{}, {}] })),
      want: 'node "n" can only create pods with a single owner reference set to itself',
    },
    {
      name: "of another owner",
      request: create(mirror(owner({ name: "m" }))),
      want: 'node "n" can only create pods with an owner reference set to itself',
    },
    {
      name: "not controlled",
      request: create(mirror(owner({ controller: false }))),
      want: 'node "n" can only create pods with a controller owner reference set to itself',
    },
    {
      name: "blocking",
      request: create(mirror(owner({ blockOwnerDeletion: true }))),
      want: 'node "n" must not set blockOwnerDeletion on an owner reference',
    },
    {
      name: "of an earlier node",
      request: create(mirror(owner({ uid: "old" }))),
      want: "node n UID mismatch: expected old got node-uid",
    },
    {
      name: "with an account",
      request: create(mirror({}, { serviceAccountName: "a" })),
      want: 'node "n" can not create pods that reference a service account',
    },
    {
      name: "with a Secret",
      request: create(mirror({}, { imagePullSecrets: [{ name: "s" }] })),
      want: 'node "n" can not create pods that reference secrets',
    },
    {
      name: "with a ConfigMap",
      request: create(mirror({}, { volumes: [{ configMap: { name: "c" } }] })),
      want: 'node "n" can not create pods that reference configmaps',
    },
    {
      name: "with a trust bundle",
      request: create(mirror({}, { volumes: [{ projected: { sources: [{ clusterTrustBundle: {} }] } }] })),
      want: 'node "n" can not create pods that reference clustertrustbundles',
    },
    {
      name: "with a claim",
      request: create(mirror({}, { volumes: [{ persistentVolumeClaim: { claimName: "c" } }] })),
      want: 'node "n" can not create pods that reference persistentvolumeclaims',
    },
    {
      name: "with devices",
      request: create(mirror({}, { resourceClaims: [{ name: "r" }] })),
      want: 'node "n" can not create pods that reference resourceclaims',
    },
    {
      name: "changed",
      request: write("UPDATE", "", "mine"),
      want: 'unexpected operation "UPDATE", node "n" can only create and delete mirror pods',
    },
    { name: "deleted", request: write("DELETE", "", "mine"), want: "" },
    {
      name: "another's deleted",
      request: write("DELETE", "", "other"),
      want: 'node "n" can only delete pods with spec.nodeName set to itself',
    },
    { name: "none deleted", request: write("DELETE", "", "none"), want: 'pods "none" not found' },
    { name: "evicted", request: write("CREATE", "eviction", "mine", { object: { metadata: {} } }), want: "" },
    {
      name: "another's evicted",
      request: write("CREATE", "eviction", "", { object: { metadata: { name: "other" } } }),
      want: "node n can only evict pods with spec.nodeName set to itself",
    },
    {
      name: "bound",
      request: write("CREATE", "binding", "mine"),
      want: "unexpected pod subresource \"binding\", only 'status' and 'eviction' are allowed",
    },
    { name: "its status", request: status(mirror(), mirror()), want: "" },
    {
      name: "another's status",
      request: status(mirror(), mirror({}, { nodeName: "m" })),
      want: 'node "n" can only update pod status for pods with spec.nodeName set to itself',
    },
    {
      name: "labels by a status",
      request: status(mirror({ labels: { a: "b" } }), mirror()),
      want: 'node "n" cannot update labels through pod status',
    },
    {
      name: "claims by a status",
      request: status({ ...mirror(), status: { resourceClaimStatuses: [{ name: "r" }] } }, mirror()),
      want: 'node "n" cannot update resource claim statues',
    },
  ])("$name", async ({ request, want }) => expect(await judge(request)).toBe(want));
});

describe("nodes", () => {
  const node = (metadata: object, spec: object = {}): object => ({ metadata: { name: "n", ...metadata }, spec });
  const change = (object: object, oldObject: object = node({})): object => ({ resource: "nodes", object, oldObject });
  test.each<Case>([
    { name: "another", request: { resource: "nodes", name: "m" }, want: 'node "n" is not allowed to modify node "m"' },
    {
      name: "itself, with what it knows",
      request: {
        resource: "nodes",
        operation: "CREATE",
        object: node({ labels: { "kubernetes.io/os": "linux", "x.kubelet.kubernetes.io/a": "b", "example.com/a": "b" } }),
      },
      want: "",
    },
    {
      name: "itself, with more",
      request: {
        resource: "nodes",
        operation: "CREATE",
        object: node({
          labels: { "node-restriction.kubernetes.io/a": "", "k8s.io/x": "", "a.node-restriction.kubernetes.io/b": "" },
        }),
      },
      want: 'node "n" is not allowed to set the following labels: a.node-restriction.kubernetes.io/b, k8s.io/x, node-restriction.kubernetes.io/a',
    },
    {
      name: "labels changed",
      request: change(
        node({ labels: { "node.kubernetes.io/instance-type": "b" } }),
        node({ labels: { "node.kubernetes.io/instance-type": "a" } }),
      ),
      want: "",
    },
    {
      name: "labels removed",
      request: change(node({}), node({ labels: { "node-role.kubernetes.io/x": "" } })),
      want: "is not allowed to modify labels: node-role.kubernetes.io/x",
    },
    {
      name: "taints",
      request: change(node({}), node({}, { taints: [{ key: "k", effect: "NoSchedule" }] })),
      want: 'node "n" is not allowed to modify taints',
    },
    {
      name: "owners",
      request: change(node({ ownerReferences: [{ uid: "u" }] })),
      want: 'node "n" is not allowed to modify ownerReferences',
    },
    {
      name: "a source of configuration",
      request: change(node({}, { configSource: { configMap: {} } })),
      want: 'node "n" is not allowed to update configSource to a new non-nil configSource',
    },
    { name: "its status", request: { ...change(node({})), subresource: "status" }, want: "" },
  ])("$name", async ({ request, want }) => expect(await judge(request)).toBe(want));
});

describe("tokens", () => {
  const token = (boundObjectRef: object, ...audiences: string[]): object => ({
    resource: "serviceaccounts",
    subresource: "token",
    operation: "CREATE",
    name: "sa",
    object: { metadata: {}, spec: { boundObjectRef, audiences } },
  });
  const bound = { apiVersion: "v1", kind: "Pod", name: "mine", uid: "pod-uid" };
  test.each<Case>([
    { name: "of its pod", request: token(bound), want: "" },
    {
      name: "bound to nothing",
      request: { ...token(bound), object: { spec: {} } },
      want: "node requested token not bound to a pod",
    },
    { name: "bound to a node", request: token({ ...bound, kind: "Node" }), want: "node requested token not bound to a pod" },
    {
      name: "bound to a name",
      request: token({ ...bound, uid: "" }),
      want: "node requested token with a pod binding without a uid",
    },
    { name: "of a pod that is gone", request: token({ ...bound, name: "none" }), want: 'pods "none" not found' },
    {
      name: "of an earlier pod",
      request: token({ ...bound, uid: "old" }),
      want: "the UID in the bound object reference (old) does not match the UID in record. The object might have been deleted and then recreated",
    },
    {
      name: "of another's pod",
      request: token({ ...bound, name: "other", uid: "other-uid" }),
      want: "node requested token bound to a pod scheduled on a different node",
    },
    { name: "for whom a volume names", request: token(bound, "vault"), want: "" },
    { name: "for whom a driver of a volume names", request: token(bound, "storage"), want: "" },
    { name: "for whom the driver of a claim names", request: token(bound, "disks"), want: "" },
    { name: "for whom it may ask", request: token(bound, "granted"), want: "" },
    { name: "for anybody else", request: token(bound, "else"), want: 'audience "else" not found in pod spec volume' },
    { name: "for two", request: token(bound, "vault", "storage"), want: "node may only request 0 or 1 audiences" },
  ])("$name", async ({ request, want }) => expect(await judge(request)).toBe(want));
});

describe("the rest", () => {
  const claim = (metadata: object, status: object = {}): object => ({ metadata, spec: {}, status });
  const claimStatus = (object: object, oldObject: object): object => ({
    resource: "persistentvolumeclaims",
    subresource: "status",
    object,
    oldObject,
  });
  const lease = (namespace: string, name: string): object => ({
    group: "coordination.k8s.io",
    resource: "leases",
    operation: "CREATE",
    namespace,
    object: { metadata: { name } },
  });
  const slice = (nodeName: string): object => ({
    group: "resource.k8s.io",
    resource: "resourceslices",
    operation: "CREATE",
    object: { metadata: {}, spec: { nodeName } },
  });
  test.each<Case>([
    { name: "a claim", request: { resource: "persistentvolumeclaims" }, want: "may only update PVC status" },
    {
      name: "a claim's size",
      request: claimStatus(
        claim({ resourceVersion: "2" }, { capacity: { storage: "2" } }),
        claim({ resourceVersion: "1" }, { capacity: { storage: "1" } }),
      ),
      want: "",
    },
    {
      name: "a claim's phase",
      request: claimStatus(claim({}, { phase: "Lost" }), claim({})),
      want: 'node "n" is not allowed to update fields other than status.capacity and status.conditions',
    },
    { name: "its lease", request: lease("kube-node-lease", "n"), want: "" },
    {
      name: "another's lease",
      request: lease("kube-node-lease", "m"),
      want: "can only access node lease with the same name as the requesting node",
    },
    {
      name: "a lease elsewhere",
      request: lease("kube-system", "n"),
      want: 'can only access leases in the "kube-node-lease" system namespace',
    },
    {
      name: "another's CSINode",
      request: { group: "storage.k8s.io", resource: "csinodes", name: "m" },
      want: "can only access CSINode with the same name as the requesting node",
    },
    { name: "its slice", request: slice("n"), want: "" },
    {
      name: "another's slice",
      request: slice("m"),
      want: "can only create ResourceSlice with the same NodeName as the requesting node",
    },
    {
      name: "a request for a certificate that cannot be read",
      request: {
        group: "certificates.k8s.io",
        resource: "certificatesigningrequests",
        operation: "CREATE",
        object: { metadata: {}, spec: { signerName: "kubernetes.io/kubelet-serving", request: "" } },
      },
      want: expect.stringContaining("unable to parse csr"),
    },
    { name: "what is not of nodes", request: { resource: "configmaps" }, want: "" },
  ])("$name", async ({ request, want }) => expect(await judge(request)).toEqual(want));

  test("others are not held to it; nodes without a name are", async () => {
    const request = { resource: "nodes", name: "m" };
    expect(await judge(request, "system:node:n", ["system:masters"])).toBe("");
    expect(await judge(request, "alice")).toBe("");
    expect(await judge(request, "system:node:")).toBe('could not determine node from user "system:node:"');
  });
});
