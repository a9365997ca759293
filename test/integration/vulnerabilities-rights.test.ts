import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Caller, GuardedServer } from "../support/guarded-server.ts";
import { JsonServer } from "../support/json-server.ts";
import { WebhookServer } from "../support/webhook-server.ts";

// Attacks of published vulnerabilities, as they were described: who has a few rights tries to get more.
// test/conformance/vulnerabilities.yaml says which is which.

const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const GROUP = "/apis/replay.example.com/v1";

let dir: string;
let guarded: GuardedServer;
let images: JsonServer;
let hooks: WebhookServer;
/** May do everything in the namespace `mine`, and nothing elsewhere. */
let jane: Caller;
/** The kubelet of the node n1. */
let kubelet: Caller;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "kybern-rights-"));
  [images, hooks] = await Promise.all([JsonServer.start(), WebhookServer.start()]);
  images.on("/images", (review) => {
    const { containers } = (review as { spec: { containers: { image: string }[] } }).spec;
    return { status: { allowed: containers.every(({ image }) => !image.startsWith("bad/")), reason: "not ours" } };
  });
  writeFileSync(join(dir, "images.kubeconfig"), images.kubeconfig("/images", "t"));
  const configuration = { imagePolicy: { kubeConfigFile: "images.kubeconfig", allowTTL: 1, denyTTL: 1, defaultAllow: false } };
  const plugins = [{ name: "ImagePolicyWebhook", configuration }];
  const configFile = join(dir, "admission.json");
  const kind = { apiVersion: "apiserver.config.k8s.io/v1", kind: "AdmissionConfiguration" };
  writeFileSync(configFile, JSON.stringify({ ...kind, plugins }));
  guarded = await GuardedServer.start({
    admission: { enable: ["DenyServiceExternalIPs", "ImagePolicyWebhook"], disable: [], configFile },
  });
  jane = guarded.user("jane");
  kubelet = guarded.user("system:node:n1", ["system:nodes"]);
  for (const name of ["mine", "theirs"]) {
    await guarded.made("/api/v1/namespaces", { metadata: { name } });
    await guarded.made(`/api/v1/namespaces/${name}/serviceaccounts`, { metadata: { name: "default" } });
  }
  for (const [plural, scope] of [
    ["things", "Namespaced"],
    ["thingspecials", "Namespaced"],
    ["worlds", "Cluster"],
  ] as const) {
    await define(plural, scope);
  }
  await guarded.made("/api/v1/nodes", { metadata: { name: "n1", labels: { guarded: "yes" } } });
}, 60_000);
afterAll(async () => {
  await guarded?.stop();
  await images?.stop();
  await hooks?.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function define(plural: string, scope: string): Promise<void> {
  const kind = `${plural[0]?.toUpperCase()}${plural.slice(1)}`;
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  await guarded.made(path, {
    metadata: { name: `${plural}.replay.example.com` },
    spec: {
      group: "replay.example.com",
      scope,
      names: { plural, singular: plural, kind, listKind: `${kind}List` },
      versions: [{ name: "v1", served: true, storage: true, schema }],
    },
  });
  for (;;) {
    const { body } = await guarded.ask(guarded.admin, "GET", `${path}/${plural}.replay.example.com`);
    const established = body.status?.conditions?.find(({ type }: { type: string }) => type === "Established");
    if (established?.status === "True") return;
  }
}

const custom = (plural: string, name: string, more: object = {}): object => ({
  apiVersion: "replay.example.com/v1",
  kind: `${plural[0]?.toUpperCase()}${plural.slice(1)}`,
  metadata: { name },
  ...more,
});
const grant = async (user: string, name: string, rules: readonly object[], namespace?: string): Promise<void> => {
  const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }];
  const [role, binding, kind] = namespace
    ? [`namespaces/${namespace}/roles`, `namespaces/${namespace}/rolebindings`, "Role"]
    : ["clusterroles", "clusterrolebindings", "ClusterRole"];
  await guarded.made(`${RBAC}/${role}`, { metadata: { name }, rules });
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind, name };
  await guarded.made(`${RBAC}/${binding}`, { metadata: { name }, roleRef, subjects });
};

describe("custom resources", () => {
  test.each([
    ["GET", "worlds/earth"],
    ["GET", "worlds"],
    ["POST", "worlds"],
    ["PUT", "worlds/earth"],
    ["PATCH", "worlds/earth"],
    ["DELETE", "worlds/earth"],
    ["DELETE", "worlds"],
  ])("rights in a namespace lead to no resource of the cluster: %s of %s", async (method, path) => {
    const name = `all-${method}-${path.replace("/", "-")}`.toLowerCase();
    await grant("jane", name, [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }], "mine");
    const earth = `${GROUP}/worlds/earth`;
    const world = custom("worlds", "earth");
    if ((await guarded.ask(guarded.admin, "GET", earth)).status === 404) await guarded.made(`${GROUP}/worlds`, world);
    const body = method === "GET" || method === "DELETE" ? undefined : { ...world, stolen: true };
    expect((await guarded.ask(jane, method, `${GROUP}/${path}`, body)).status).toBe(403);
    const through = await guarded.ask(jane, method, `${GROUP}/namespaces/mine/${path}`, body);
    expect([through.status, through.text.includes("earth")]).toEqual([404, false]);
    const { body: left } = await guarded.ask(guarded.admin, "GET", earth);
    expect([left.metadata.name, left.stolen]).toEqual(["earth", undefined]);
  });

  test.each([
    ["a field selector that climbs", "things?fieldSelector=metadata.name%3D..%2Fthingspecials"],
    ["a field selector that climbs to an object", "things?fieldSelector=metadata.name%3D..%2F..%2Fthingspecials%2Fmine%2Fhidden"],
    ["a field selector of a namespace", "things?fieldSelector=metadata.namespace%3D..%2Fthingspecials%2Fmine"],
    ["a watch that climbs", "things?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3D..%2Fthingspecials"],
    ["a namespace that climbs", "namespaces/..%2Fthingspecials/things"],
    ["a namespace of dots", "namespaces/../things"],
    ["a name that climbs", "namespaces/mine/things/..%2F..%2Fthingspecials%2Fmine%2Fhidden"],
    ["the longer name of a longer word", "things?fieldSelector=metadata.name%3Dhidden"],
    ["all of the shorter word", "things"],
  ])("rights to one kind lead to no other of its group: %s", async (_name, path) => {
    const hidden = `${GROUP}/namespaces/mine/thingspecials`;
    if ((await guarded.ask(guarded.admin, "GET", `${hidden}/hidden`)).status === 404) {
      await guarded.made(hidden, custom("thingspecials", "hidden", { word: "open-sesame" }));
      const rules = [{ apiGroups: ["replay.example.com"], resources: ["things"], verbs: ["get", "list", "watch"] }];
      await grant("tom", "reads-things", rules);
    }
    const tom = guarded.user("tom");
    expect((await guarded.ask(tom, "GET", hidden)).status).toBe(403);
    const { text } = await guarded.ask(tom, "GET", `${GROUP}/${path}`);
    expect(text).not.toContain("open-sesame");
  });
});

describe("who may edit a namespace", () => {
  beforeAll(async () => {
    await guarded.bind("eddy", "edit", "mine");
    await guarded.bind("ada", "admin", "mine");
  });

  test.each(["eddy", "ada"])("sends no Service's traffic elsewhere by endpoints: %s", async (name) => {
    const who = guarded.user(name);
    const endpoints = { metadata: { name: "x" }, subsets: [{ addresses: [{ ip: "10.0.0.1" }], ports: [{ port: 1 }] }] };
    const slice = { metadata: { name: "x" }, addressType: "IPv4", endpoints: [{ addresses: ["10.0.0.1"] }] };
    for (const [path, object] of [
      ["/api/v1/namespaces/mine/endpoints", endpoints],
      ["/apis/discovery.k8s.io/v1/namespaces/mine/endpointslices", slice],
    ] as const) {
      expect((await guarded.ask(who, "POST", path, object)).status).toBe(403);
      expect((await guarded.ask(who, "PATCH", `${path}/x`, { metadata: { labels: { a: "b" } } })).status).toBe(403);
    }
  });

  test("takes no address by a Service", async () => {
    const eddy = guarded.user("eddy");
    const services = "/api/v1/namespaces/mine/services";
    const service = { metadata: { name: "taker" }, spec: { ports: [{ port: 80 }] } };
    const taking = { ...service, spec: { ...service.spec, externalIPs: ["10.0.0.1"] } };
    expect((await guarded.ask(eddy, "POST", services, taking)).body).toMatchObject({ code: 403, reason: "Forbidden" });
    const { status, body: made } = await guarded.ask(eddy, "POST", services, service);
    expect(status).toBe(201);
    const put = { ...made, spec: { ...made.spec, externalIPs: ["10.0.0.1"] } };
    expect((await guarded.ask(eddy, "PUT", `${services}/taker`, put)).status).toBe(403);
    expect((await guarded.ask(eddy, "PATCH", `${services}/taker`, { spec: { externalIPs: ["10.0.0.1"] } })).status).toBe(403);
    const jsonPatch = [{ op: "add", path: "/spec/externalIPs", value: ["10.0.0.1"] }];
    expect((await guarded.ask(eddy, "PATCH", `${services}/taker`, jsonPatch)).status).toBe(403);
    const status2 = { status: { loadBalancer: { ingress: [{ ip: "10.0.0.1" }] } } };
    expect((await guarded.ask(eddy, "PATCH", `${services}/taker/status`, status2)).status).toBe(403);
  });

  test("gets no right to impersonate, and no more rights than it has", async () => {
    const ada = guarded.user("ada");
    const rule = (rules: object[]): object => ({ metadata: { name: "more" }, rules });
    const roles = `${RBAC}/namespaces/mine/roles`;
    const nodes = rule([{ apiGroups: [""], resources: ["nodes"], verbs: ["*"] }]);
    expect((await guarded.ask(ada, "POST", roles, nodes)).status).toBe(403);
    const toAdmin = {
      metadata: { name: "more" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "ada" }],
    };
    expect((await guarded.ask(ada, "POST", `${RBAC}/namespaces/mine/rolebindings`, toAdmin)).status).toBe(403);
    const masters = { "impersonate-user": "x", "impersonate-group": "system:masters" };
    expect((await guarded.ask(ada, "GET", "/api/v1/nodes", undefined, masters)).status).toBe(403);
  });
});

test.each([
  ["127.0.0.1", "IPv4"],
  ["127.255.255.254", "IPv4"],
  ["169.254.169.254", "IPv4"],
  ["224.0.0.1", "IPv4"],
  ["0.0.0.0", "IPv4"],
  ["::1", "IPv6"],
  ["fe80::1", "IPv6"],
  ["ff02::1", "IPv6"],
  ["::ffff:127.0.0.1", "IPv6"],
])("an endpoint may not be %s", async (address, addressType) => {
  const slice = { metadata: { name: "sly" }, addressType, endpoints: [{ addresses: [address] }], ports: [] };
  const slices = "/apis/discovery.k8s.io/v1/namespaces/mine/endpointslices";
  expect((await guarded.ask(guarded.admin, "POST", slices, slice)).status).toBe(422);
  const endpoints = { metadata: { name: "sly" }, subsets: [{ addresses: [{ ip: address }], ports: [{ port: 1 }] }] };
  expect((await guarded.ask(guarded.admin, "POST", "/api/v1/namespaces/mine/endpoints", endpoints)).status).toBe(422);
});

describe("webhooks", () => {
  const register = (name: string, resources: readonly string[], path: string): Promise<unknown> =>
    guarded.made(WEBHOOKS, {
      metadata: { name },
      webhooks: [
        {
          name: `${name}.example.com`,
          clientConfig: { url: hooks.url(path), caBundle: hooks.caBundle },
          rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources }],
          objectSelector: { matchLabels: { guarded: "yes" } },
          admissionReviewVersions: ["v1"],
          sideEffects: "None",
        },
      ],
    });

  test("a change of a node is judged by what the node was", async () => {
    hooks.on("/nodes", ({ request }) => ({ allowed: request.oldObject?.metadata.labels.open === "yes" }));
    await register("nodes", ["nodes", "nodes/status"], "/nodes");
    const { body: node } = await guarded.ask(guarded.admin, "GET", "/api/v1/nodes/n1");
    const opened = { ...node, metadata: { ...node.metadata, labels: { ...node.metadata.labels, open: "yes" } } };
    const tainted = { ...opened, spec: { ...node.spec, taints: [{ key: "a", effect: "NoSchedule" }], unschedulable: true } };
    for (const [method, path, body] of [
      ["PUT", "/api/v1/nodes/n1", opened],
      ["PUT", "/api/v1/nodes/n1", tainted],
      ["PUT", "/api/v1/nodes/n1/status", opened],
      ["PATCH", "/api/v1/nodes/n1", { metadata: opened.metadata }],
    ] as const) {
      const { body: answer } = await guarded.ask(guarded.admin, method, path, body);
      expect(answer).toMatchObject({ code: 400, message: expect.stringContaining('webhook "nodes.example.com" denied') });
    }
    for (const { request } of hooks.callsOf("/nodes")) {
      expect(request.oldObject.metadata.labels).toEqual({ guarded: "yes" });
      expect(request.oldObject.spec?.unschedulable ?? false).toBe(false);
    }
    expect((await guarded.ask(guarded.admin, "DELETE", `${WEBHOOKS}/nodes`)).status).toBe(200);
  });

  test("one that answers with a redirect leads nowhere, and nothing of what is there is told", async () => {
    const inner = await JsonServer.start();
    inner.on("/secret", () => ({ word: "open-sesame" }));
    hooks.redirect("/sly", `${inner.url}/secret`);
    await register("sly", ["configmaps"], "/sly");
    try {
      const map = { metadata: { name: "m", labels: { guarded: "yes" } } };
      const { status, text } = await guarded.ask(guarded.admin, "POST", "/api/v1/namespaces/mine/configmaps", map);
      expect([status, text.includes("open-sesame")]).toEqual([500, false]);
      expect(inner.calls).toEqual([]);
      // Its log could be made to tell bodies where the level can be set from afar.
      expect((await guarded.ask(guarded.admin, "PUT", "/debug/flags/v", "10")).status).toBe(404);
    } finally {
      await inner.stop();
      await guarded.ask(guarded.admin, "DELETE", `${WEBHOOKS}/sly`);
    }
  });
});

describe("pods", () => {
  const PODS = "/api/v1/namespaces/mine/pods";
  const secretOf = (name: string): object => ({ name: "c", image: "x", envFrom: [{ secretRef: { name } }] });
  const keyOf = (name: string): object => ({
    name: "c",
    image: "x",
    env: [{ name: "V", valueFrom: { secretKeyRef: { name, key: "k" } } }],
  });
  const running = async (name: string, spec: object = {}): Promise<string> => {
    await guarded.made(PODS, { metadata: { name }, spec: { containers: [{ name: "main", image: "good/x" }], ...spec } });
    return `${PODS}/${name}/ephemeralcontainers`;
  };
  beforeAll(async () => {
    await guarded.made("/api/v1/namespaces/mine/serviceaccounts", {
      metadata: { name: "bound", annotations: { "kubernetes.io/enforce-mountable-secrets": "true" } },
      secrets: [{ name: "own" }],
    });
  });

  test("an image that is not allowed is not allowed in a running pod either", async () => {
    const refused = { metadata: { name: "bad" }, spec: { containers: [{ name: "main", image: "bad/x" }] } };
    expect((await guarded.ask(guarded.admin, "POST", PODS, refused)).body.message).toContain("not ours");
    const path = await running("debugged");
    const add = (image: string): object => ({ spec: { ephemeralContainers: [{ name: "d", image }] } });
    for (const type of ["application/merge-patch+json", "application/strategic-merge-patch+json"]) {
      const answer = await guarded.ask(guarded.admin, "PATCH", path, add("bad/x"), { "content-type": type });
      expect(answer.body).toMatchObject({ code: 403, message: expect.stringContaining("not ours") });
    }
    const { body: pod } = await guarded.ask(guarded.admin, "GET", `${PODS}/debugged`);
    pod.spec.ephemeralContainers = [{ name: "d", image: "bad/x" }];
    expect((await guarded.ask(guarded.admin, "PUT", path, pod)).status).toBe(403);
    expect((await guarded.ask(guarded.admin, "PATCH", path, add("good/x"))).status).toBe(200);
  });

  test.each([
    ["containers", secretOf("others")],
    ["initContainers", secretOf("others")],
    ["containers", keyOf("others")],
  ])("an account's pods mount no other Secrets: %s with %j", async (field, container) => {
    const main = { name: "main", image: "good/x" };
    const spec = { serviceAccountName: "bound", containers: [main], [field]: [container] };
    const { status, body } = await guarded.ask(guarded.admin, "POST", PODS, { metadata: { name: "sly" }, spec });
    expect([status, body.message]).toEqual([403, expect.stringContaining("does not reference that secret")]);
  });

  test("nor once they run", async () => {
    const path = await running("bound", { serviceAccountName: "bound" });
    for (const container of [keyOf("others"), secretOf("others")]) {
      const patch = { spec: { ephemeralContainers: [container] } };
      const { status, body } = await guarded.ask(guarded.admin, "PATCH", path, patch);
      expect([status, body.message]).toEqual([403, expect.stringContaining("does not reference that secret")]);
    }
    const own = await guarded.ask(guarded.admin, "PATCH", path, { spec: { ephemeralContainers: [keyOf("own")] } });
    expect(own.status).toBe(200);
  });
});

describe("a kubelet", () => {
  test("has no devices that nobody gave it", async () => {
    const { body: node } = await guarded.ask(guarded.admin, "GET", "/api/v1/nodes/n1");
    const owner = { apiVersion: "v1", kind: "Node", name: "n1", uid: node.metadata.uid, controller: true };
    const mirror = {
      metadata: { name: "mirror", ownerReferences: [owner], annotations: { "kubernetes.io/config.mirror": "x" } },
      spec: { nodeName: "n1", containers: [{ name: "c", image: "good/x" }], automountServiceAccountToken: false },
    };
    const claims = [{ name: "gpu", resourceClaimName: "theirs" }];
    const greedy = { ...mirror, spec: { ...mirror.spec, resourceClaims: claims } };
    const refused = await guarded.ask(kubelet, "POST", "/api/v1/namespaces/mine/pods", greedy);
    expect([refused.status, refused.body.message]).toEqual([403, expect.stringContaining("resourceclaims")]);
    expect((await guarded.ask(kubelet, "POST", "/api/v1/namespaces/mine/pods", mirror)).status).toBe(201);
    const statuses = { status: { resourceClaimStatuses: [{ name: "gpu", resourceClaimName: "theirs" }] } };
    const patched = await guarded.ask(kubelet, "PATCH", "/api/v1/namespaces/mine/pods/mirror/status", statuses);
    expect(patched.status).toBe(403);
  });

  test("cannot have its node removed and made anew", async () => {
    const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name: "gone", uid: "0" }];
    for (const path of ["/api/v1/nodes/n1", "/api/v1/nodes/n1/status"]) {
      const patched = await guarded.ask(kubelet, "PATCH", path, { metadata: { ownerReferences } });
      expect([patched.status, patched.body.message]).toEqual([403, expect.stringContaining("ownerReferences")]);
      const { body: node } = await guarded.ask(kubelet, "GET", "/api/v1/nodes/n1");
      const put = { ...node, metadata: { ...node.metadata, ownerReferences } };
      expect((await guarded.ask(kubelet, "PUT", path, put)).status).toBe(403);
    }
    expect((await guarded.ask(kubelet, "DELETE", "/api/v1/nodes/n1")).status).toBe(403);
  });

  test("reads no Secret of pods elsewhere", async () => {
    await guarded.made("/api/v1/namespaces/theirs/secrets", { metadata: { name: "word" }, stringData: { a: "open-sesame" } });
    for (const path of ["/api/v1/secrets", "/api/v1/namespaces/theirs/secrets", "/api/v1/namespaces/theirs/secrets/word"]) {
      expect((await guarded.ask(kubelet, "GET", path)).status).toBe(403);
    }
  });
});

test("a certificate that was made for servers lets nobody in", async () => {
  const server = guarded.user("root", ["system:masters"], { usages: ["server"], hosts: ["127.0.0.1"] });
  expect((await guarded.ask(server, "GET", "/api/v1/nodes")).status).toBe(401);
});

test("headers of a front proxy count for nothing from who is none", async () => {
  const headers = { "x-remote-user": "root", "x-remote-group": "system:masters", "x-remote-extra-a": "b" };
  expect((await guarded.ask(jane, "GET", "/api/v1/nodes", undefined, headers)).status).toBe(403);
  expect((await guarded.ask(guarded.caller(), "GET", "/api/v1/nodes", undefined, headers)).status).toBe(401);
});

test.each(["https://kubernetes.example.com", "https://127.0.0.1.evil.example", "null", "https://evil.example"])(
  "a page of %s reads no answer",
  async (origin) => {
    const headers = { origin, "access-control-request-method": "GET" };
    for (const method of ["GET", "OPTIONS"]) {
      const answer = await guarded.ask(guarded.admin, method, "/api/v1/nodes", undefined, headers);
      expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
  },
);

test.each([
  "/api/v1/namespaces/..%2F..%2Fnodes/pods",
  "/api/v1/namespaces/mine/configmaps/..%2F..%2F..%2Fsecrets%2Ftheirs%2Fword",
  "/api/v1/namespaces/mine/..%2Fsecrets",
  "/apis/..%2F..%2Fregistry/v1/secrets",
])("a path that climbs leads nowhere: %s", async (path) => {
  const { status, text } = await guarded.ask(jane, "GET", path);
  expect([403, 404]).toContain(status);
  expect(text).not.toContain("open-sesame");
  const object = { metadata: { name: "../../secrets/theirs/word" } };
  const made = await guarded.ask(guarded.admin, "POST", "/api/v1/namespaces/mine/configmaps", object);
  expect(made.status).toBe(422);
});
