import { type IncomingHttpHeaders, request } from "node:http";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { SimulatedNetwork } from "#kubelet/simulated-network.ts";
import { type SimulatedNodes, startSimulatedNodes } from "#kubelet/simulated-nodes.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";
import { asker } from "../support/ask.ts";
import { eventually } from "../support/kubectl.ts";

const now = realClock.now();
const ca = createAuthority("nodes-ca", now);
const stranger = createAuthority("another-ca", now);
const client = (commonName: string, organizations: readonly string[] = [], by = ca) =>
  issueCertificate(by, { commonName, organizations, usages: ["client"] }, now);
const certificates: Readonly<Record<string, { readonly cert: string; readonly key: string }>> = {
  admin: client("root", ["system:masters"]),
  nobody: client("nobody"),
  reader: client("reader"),
  scraper: client("scraper"),
  forged: client("root", ["system:masters"], stranger),
};

let cluster: Cluster;
let nodes: SimulatedNodes;
let token: string;
const network = new SimulatedNetwork();

beforeAll(async () => {
  cluster = await startCluster({ nodes: 0 });
  nodes = await startSimulatedNodes({
    client: cluster.client,
    clock: realClock,
    random: systemRandom,
    signal: new AbortController().signal,
    count: 1,
    namePrefix: "own-",
    network,
    authority: {
      clientCa: ca.cert,
      issueServing: (commonName, hosts) => issueCertificate(ca, { commonName, usages: ["server"], hosts }, now),
    },
  });
  const ask = asker(cluster);
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  const grant = async (name: string, subresources: readonly string[], subject: object): Promise<void> => {
    const rules = [{ apiGroups: [""], resources: subresources.map((one) => `nodes/${one}`), verbs: ["get", "create"] }];
    expect((await ask("POST", `${rbac}/clusterroles`, { metadata: { name }, rules })).status).toBe(201);
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name };
    const binding = { metadata: { name }, roleRef, subjects: [subject] };
    expect((await ask("POST", `${rbac}/clusterrolebindings`, binding)).status).toBe(201);
  };
  const user = (name: string) => ({ apiGroup: "rbac.authorization.k8s.io", kind: "User", name });
  await grant("reader", ["pods", "healthz", "configz", "log"], user("reader"));
  await grant("scraper", ["metrics", "stats"], user("scraper"));
  await grant("account", ["metrics"], { kind: "ServiceAccount", name: "default", namespace: "default" });
  await eventually(async () => (await ask("GET", "/api/v1/namespaces/default/serviceaccounts/default")).status === 200);
  const review = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
  token = (await ask("POST", "/api/v1/namespaces/default/serviceaccounts/default/token", review)).body.status.token;
  const containers = [{ name: "main", image: "x", command: ["sh", "-c", "echo first; echo second >&2; sleep 3600"] }];
  const pod = { metadata: { name: "web" }, spec: { nodeName: "own-0", containers } };
  expect((await ask("POST", "/api/v1/namespaces/default/pods", pod)).status).toBe(201);
  await eventually(async () => (await ask("GET", "/api/v1/namespaces/default/pods/web")).body.status.phase === "Running");
});
afterAll(async () => {
  await nodes?.stop();
  await cluster?.stop();
});

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

/** Asks the node itself, as a user with a certificate or with a token. */
async function ask(who: string, method: string, path: string): Promise<Answer> {
  const plain = await network.dial("172.18.0.2", 10250);
  const own = certificates[who];
  const socket = connectTls({ socket: plain as never, ca: ca.cert, servername: "own-0", ...own });
  const headers =
    who === "account" ? { authorization: `Bearer ${token}` } : who === "liar" ? { authorization: "Bearer wrong" } : {};
  return new Promise((resolve, reject) => {
    const sent = request({ method, path, headers, createConnection: () => socket }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }), reject);
    });
    sent.on("error", reject);
    sent.end();
  });
}

const forbidden = (user: string, verb: string, subresources: string): string =>
  `Forbidden (user=${user}, verb=${verb}, resource=nodes, subresource(s)=[${subresources}])\n`;
const access: readonly (readonly [who: string, method: string, path: string, status: number, body?: string])[] = [
  ["anonymous", "GET", "/healthz", 401, "Unauthorized"],
  ["forged", "GET", "/healthz", 401, "Unauthorized"],
  ["liar", "GET", "/healthz", 401, "Unauthorized"],
  ["nobody", "GET", "/healthz", 403, forbidden("nobody", "get", "healthz proxy")],
  ["nobody", "GET", "/metrics", 403, forbidden("nobody", "get", "metrics")],
  ["nobody", "POST", "/run/default/web/main", 403, forbidden("nobody", "create", "proxy")],
  ["reader", "GET", "/healthz", 200, "ok"],
  ["reader", "GET", "/healthz/syncloop", 200, "ok"],
  ["reader", "GET", "/pods", 200],
  ["reader", "GET", "/configz", 200],
  ["reader", "GET", "/logs/", 200],
  ["reader", "GET", "/containerLogs/default/web/main", 403, forbidden("reader", "get", "proxy")],
  ["reader", "GET", "/stats/summary", 403, forbidden("reader", "get", "stats")],
  ["scraper", "GET", "/metrics/resource", 200],
  ["scraper", "GET", "/stats/summary", 200],
  ["scraper", "GET", "/pods", 403, forbidden("scraper", "get", "pods proxy")],
  ["account", "GET", "/metrics/cadvisor", 200],
  ["account", "GET", "/stats/summary", 403, forbidden("system:serviceaccount:default:default", "get", "stats")],
  ["admin", "GET", "/runningpods/", 200],
  ["admin", "GET", "/nosuch", 404, "404: Page Not Found"],
  ["admin", "POST", "/pods", 405, "Method Not Allowed"],
  ["admin", "POST", "/run/default/web/main?cmd=echo+hi", 200, "hi\n"],
  ["admin", "POST", "/run/default/web/main?cmd=false", 500, "command 'false' exited with 1: "],
  ["admin", "POST", "/run/default/nosuch/main?cmd=echo", 404, "pod does not exist"],
  ["admin", "POST", "/exec/default/web/main?command=ls", 400, "you must specify at least 1 of stdin, stdout, stderr"],
  ["admin", "POST", "/exec/default/nosuch/main?output=1", 404, "pod does not exist"],
  ["admin", "POST", "/exec/default/web/other?output=1", 500, 'container not found ("other")'],
  ["admin", "POST", "/exec/default/web/main?output=1&command=ls", 500, "Upgrade request required\n"],
  ["admin", "POST", "/portForward/default/web/wrong-uid", 404, "pod not found"],
  ["admin", "GET", "/containerLogs/default/nosuch/main", 404, 'pod "nosuch" does not exist'],
  ["admin", "GET", "/containerLogs/default/web/other", 404, 'container "other" not found in pod "web"'],
  ["admin", "GET", "/containerLogs/default/web/main", 200, "first\nsecond\n"],
  ["admin", "GET", "/containerLogs/default/web/main?stream=Stderr", 200, "second\n"],
  ["admin", "GET", "/containerLogs/default/web/main?tailLines=-1", 422, '{"message": "Invalid request."}'],
  [
    "admin",
    "GET",
    "/containerLogs/default/web/main?previous=true",
    400,
    'previous terminated container "main" in pod "web" not found',
  ],
  ["admin", "POST", "/containerLogs/default/web/main", 405, "Method Not Allowed"],
];
const complete = access.map(([who, method, path, status, body]) => ({ who, method, path, status, body }));
test.each(complete)("$who: $method $path: $status", async ({ who, method, path, status, body }) => {
  const answer = await ask(who, method, path);
  expect([answer.status, answer.body]).toEqual([status, body ?? answer.body]);
});

test("pods are told with their status, and what runs by the runtime", async () => {
  const { items } = JSON.parse((await ask("admin", "GET", "/pods")).body);
  expect(items).toMatchObject([{ metadata: { name: "web" }, status: { phase: "Running" } }]);
  const running = JSON.parse((await ask("admin", "GET", "/runningpods/")).body);
  expect(running).toMatchObject({
    kind: "PodList",
    items: [{ metadata: { name: "web" }, spec: { containers: [{ name: "main" }] } }],
  });
});

test("what pods use is told in all its forms", async () => {
  const summary = JSON.parse((await ask("admin", "GET", "/stats/summary")).body);
  expect(summary).toMatchObject({
    node: { nodeName: "own-0" },
    pods: [{ podRef: { name: "web" }, containers: [{ name: "main" }] }],
  });
  const small = JSON.parse((await ask("admin", "GET", "/stats/summary?only_cpu_and_memory=true")).body);
  expect(Object.keys(small.node)).toEqual(["nodeName", "startTime", "cpu", "memory"]);
  const { body } = await ask("admin", "GET", "/metrics/resource");
  expect(body).toContain('container_memory_working_set_bytes{container="main",namespace="default",pod="web"} 8388608');
  expect((await ask("admin", "GET", "/metrics")).body).toContain('kubelet_node_name{node="own-0"} 1');
});

test("a node's logs are files", async () => {
  const link = /href="(default_web_[^"]+)"/.exec((await ask("admin", "GET", "/logs/pods/")).body)?.[1];
  const { body } = await ask("admin", "GET", `/logs/pods/${link}main/0.log`);
  expect(body).toMatch(/^20\S+Z stdout F first\n20\S+Z stderr F second\n$/);
});

test("a node that fails refuses, as does a port where nothing listens", async () => {
  await expect(network.dial("172.18.0.2", 80)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  nodes.stopNode("own-0");
  await expect(network.dial("own-0", 10250)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  await nodes.startNode("own-0");
  expect((await ask("admin", "GET", "/healthz")).status).toBe(200);
});
