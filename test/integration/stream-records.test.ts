import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { silentLogger } from "#component-base/logging.ts";
import { type ControlPlane, startControlPlane } from "#envtest/control-plane.ts";
import { type ClusterAssets, ensureClusterAssets } from "#pki/cluster-assets.ts";
import { asker } from "../support/ask.ts";
import { FakeKubelet, networkOf } from "../support/fake-kubelet.ts";
import { eventually } from "../support/kubectl.ts";
import { openTestStore } from "../support/store.ts";
import { WebhookServer } from "../support/webhook-server.ts";

const POD = "/api/v1/namespaces/default/pods/web";
const RANGE = "10.96.0.0/12";
const POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- { level: Request, resources: [{ resources: [pods/exec, pods/attach, pods/log, pods/proxy] }] }
`;

let plane: ControlPlane;
let assets: ClusterAssets;
let hooks: WebhookServer;
/** Its certificate comes from an authority of its own. */
let foreign: FakeKubelet;
let dir: string;
let ask: ReturnType<typeof asker>;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "kybern-records-"));
  writeFileSync(join(dir, "policy.yaml"), POLICY);
  hooks = await WebhookServer.start();
  assets = await ensureClusterAssets({ clock: realClock, hosts: ["127.0.0.1"], serviceClusterIpRange: RANGE });
  foreign = await FakeKubelet.start();
  plane = await startControlPlane({
    kv: await openTestStore(),
    clock: realClock,
    random: systemRandom,
    logger: silentLogger,
    assets,
    bindAddress: "127.0.0.1",
    port: 0,
    serviceClusterIpRange: RANGE,
    nodes: 1,
    kubelet: { ca: assets.ca.cert },
    network: networkOf(new Map([["foreign-node", foreign.port]])),
    authentication: {},
    audit: { policyFile: join(dir, "policy.yaml"), logPath: join(dir, "audit.log") },
  });
  const credentials = { ca: assets.ca.cert, cert: assets.admin.cert, key: assets.admin.key };
  ask = asker({ url: plane.apiServer.url, credentials });
  const pod = {
    metadata: { name: "web" },
    spec: { containers: [{ name: "main", image: "nginx:1.27", ports: [{ containerPort: 80 }] }] },
  };
  await eventually(async () => (await ask("POST", "/api/v1/namespaces/default/pods", pod)).status === 201);
  await eventually(async () => (await ask("GET", POD)).body.status?.phase === "Running");
}, 60_000);
afterAll(async () => {
  await plane?.stop();
  await hooks?.stop();
  await foreign?.stop();
  rmSync(dir, { recursive: true, force: true });
});

interface Event {
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly objectRef: { readonly subresource?: string };
  readonly responseStatus?: { readonly code: number };
  readonly requestObject?: unknown;
}

function events(path: string): readonly Event[] {
  const lines = readFileSync(join(dir, "audit.log"), "utf8").split("\n");
  const all = lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Event);
  return all.filter(({ requestURI }) => requestURI === path);
}

function exec(path: string): Promise<Duplex> {
  const headers = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-protocol": "v5.channel.k8s.io",
  };
  const { cert, key } = assets.admin;
  return new Promise((resolve, reject) => {
    const sent = request(`${plane.apiServer.url}${path}`, { ca: assets.ca.cert, cert, key, headers, agent: false });
    sent.on("upgrade", (_response, socket) => resolve(socket));
    sent.on("error", reject);
    sent.end();
  });
}

test("what goes on is written down when it begins and when it ends, and counted", async () => {
  const path = `${POD}/exec?command=cat&stdin=true&stdout=true`;
  const socket = await exec(path);
  socket.on("error", () => {});
  socket.resume();
  await eventually(() => events(path).some(({ stage }) => stage === "ResponseStarted"));
  expect(events(path).map(({ stage, responseStatus }) => [stage, responseStatus?.code])).toEqual([
    ["RequestReceived", undefined],
    ["ResponseStarted", 101],
  ]);
  socket.destroy();
  await eventually(() => events(path).length === 3);
  const [first, , last] = events(path);
  expect(first).toMatchObject({ verb: "get", objectRef: { resource: "pods", subresource: "exec", name: "web" } });
  expect(last).toMatchObject({ stage: "ResponseComplete", responseStatus: { code: 101 } });
  expect(last?.requestObject).toBeUndefined();
  const { text } = await ask("GET", "/metrics");
  expect(text).toMatch(/apiserver_request_total\{code="101",[^}]*subresource="exec",verb="CONNECT"/);
});

test("a body that goes on is nobody's to write down", async () => {
  const path = `${POD}/proxy/form`;
  expect((await ask("POST", path, { secret: "s" })).status).toBe(200);
  await eventually(() => events(path).some(({ stage }) => stage === "ResponseComplete"));
  expect(events(path).every(({ requestObject }) => requestObject === undefined)).toBe(true);
  expect(events(path).at(-1)).toMatchObject({ verb: "create", responseStatus: { code: 200 } });
});

test("these requests take no seat of priority and fairness", async () => {
  expect((await ask("GET", POD)).headers["x-kubernetes-pf-flowschema-uid"]).toBeDefined();
  expect((await ask("GET", `${POD}/log`)).headers["x-kubernetes-pf-flowschema-uid"]).toBeUndefined();
  expect((await ask("GET", `${POD}/proxy/`)).headers["x-kubernetes-pf-flowschema-uid"]).toBeUndefined();
});

test("a webhook may say no to a connection", async () => {
  hooks.on("/attach", () => ({ allowed: false, status: { message: "attaching to pod 'web' is not allowed" } }));
  const answer = await ask("POST", "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", {
    metadata: { name: "attach" },
    webhooks: [
      {
        name: "attach.example.com",
        clientConfig: { url: hooks.url("/attach"), caBundle: hooks.caBundle },
        rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CONNECT"], resources: ["pods/attach"] }],
        admissionReviewVersions: ["v1"],
        sideEffects: "None",
      },
    ],
  });
  expect(answer.status).toBe(201);
  const { body } = await ask("POST", `${POD}/attach?container=main&stdin=true&stdout=true`);
  expect(body.message).toContain("attaching to pod 'web' is not allowed");
  const review = hooks.calls.find(({ path }) => path === "/attach")?.review;
  expect(review?.request).toMatchObject({
    operation: "CONNECT",
    kind: { kind: "PodAttachOptions" },
    name: "web",
    subResource: "attach",
    object: { kind: "PodAttachOptions", apiVersion: "v1", stdin: true, stdout: true, container: "main" },
  });
});

test("a kubelet has to show a certificate of the authority that was named, unless the client does without", async () => {
  // The simulated node's comes from the cluster's authority.
  expect((await ask("GET", `${POD}/log`)).status).toBe(200);
  const status = {
    addresses: [{ type: "Hostname", address: "foreign-node" }],
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
  };
  await ask("POST", "/api/v1/nodes", { metadata: { name: "foreign-node" }, status });
  const spec = { nodeName: "foreign-node", containers: [{ name: "main", image: "x" }] };
  expect((await ask("POST", "/api/v1/namespaces/default/pods", { metadata: { name: "abroad" }, spec })).status).toBe(201);
  const log = "/api/v1/namespaces/default/pods/abroad/log";
  const { body } = await ask("GET", log);
  expect(body.message).toMatch(
    /^Get "https:.*": tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
  );
  expect(await ask("GET", `${log}?insecureSkipTLSVerifyBackend=true`)).toMatchObject({ status: 200, text: "fake\n" });
  const { text } = await ask("GET", "/metrics");
  expect(text).toContain("kube_apiserver_pod_logs_backend_tls_failure_total 1\n");
  expect(text).toContain('kube_apiserver_pod_logs_insecure_backend_total{usage="skip_tls_allowed"} 1\n');
});
