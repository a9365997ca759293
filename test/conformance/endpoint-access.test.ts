import { readFileSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { afterAll, beforeAll, expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { startKubeApiServer } from "#kube-apiserver/server.ts";
import type { KubeApiServer } from "#kube-apiserver/server-options.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";
import { type ClusterAssets, ensureClusterAssets } from "#pki/cluster-assets.ts";
import { openTestStore } from "../support/store.ts";

/** What every endpoint answers to whom. `UPDATE_GOLDEN=1` writes it anew; a difference is a change of who may do what. */
const GOLDEN = new URL("../golden/endpoint-access.txt", import.meta.url);
const HEAD = `# The status that each endpoint answers to: no credentials, an unknown token, an expired certificate, one of another authority,
# a user without rights, the kubelet of another node, a service account of another namespace.
`;
/** Requests at once. */
const PARALLEL = 24;

const METHODS: Readonly<Record<string, readonly [method: string, isNamed: boolean]>> = {
  get: ["GET", true],
  list: ["GET", false],
  create: ["POST", false],
  update: ["PUT", true],
  patch: ["PATCH", true],
  delete: ["DELETE", true],
  deletecollection: ["DELETE", false],
};
const PATHS = [
  "/",
  "/api",
  "/api/v1",
  "/apis",
  "/apis/apps",
  "/apis/apps/v1",
  "/healthz",
  "/healthz/ping",
  "/livez",
  "/readyz",
  "/metrics",
  "/openapi/v2",
  "/openapi/v3",
  "/openid/v1/jwks",
  "/.well-known/openid-configuration",
  "/version",
  "/logs",
  "/debug/api_priority_and_fairness/dump_priority_levels",
  "/debug/api_priority_and_fairness/dump_queues",
  "/debug/api_priority_and_fairness/dump_requests",
  "/debug/flags/v",
  "/debug/pprof",
  "/debug/pprof/",
  "/debug/pprof/heap",
  "/debug/pprof/profile",
  "/swagger-ui",
  "/swagger-ui/",
  "/swagger.json",
  "/openapi/v3/api/v1",
  "/openapi/v3/apis/access.example.com/v1",
];
/** A resource that somebody defined. */
const DEFINITION = {
  metadata: { name: "things.access.example.com" },
  spec: {
    group: "access.example.com",
    scope: "Namespaced",
    names: { plural: "things", singular: "thing", kind: "Thing", listKind: "ThingList" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        subresources: { status: {}, scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" } },
      },
    ],
  },
};

interface Who {
  readonly agent: Agent;
  readonly token?: string;
}

interface ApiResource {
  readonly name: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

const kv = await openTestStore();
let assets: ClusterAssets;
let server: KubeApiServer;
let everybody: readonly Who[];
let admin: Who;

beforeAll(async () => {
  const [clock, random] = [realClock, systemRandom];
  assets = await ensureClusterAssets({ clock, hosts: ["127.0.0.1"], serviceClusterIpRange: "10.96.0.0/12" });
  server = await startKubeApiServer({
    kv,
    clock,
    random,
    assets,
    bindAddress: "127.0.0.1",
    port: 0,
    swaggerUi: true,
    profiles: { cpu: async () => "{}", heap: async () => "{}" },
    serviceClusterIpRange: "10.96.0.0/12",
  });
  await server.ready;
  const now = clock.now();
  const ca = assets.ca.cert;
  const agent = (pair?: { cert: string; key: string }): Agent => new Agent({ ca, keepAlive: true, maxSockets: 4, ...pair });
  const foreign = createAuthority("kubernetes", now);
  admin = { agent: agent(assets.admin) };
  const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  expect((await ask("POST", definitions, admin, DEFINITION)).status).toBe(201);
  while ((await ask("GET", "/apis/access.example.com/v1", admin)).status !== 200) await clock.sleep(20);
  for (const name of ["ns-a", "ns-b"]) await ask("POST", "/api/v1/namespaces", admin, { metadata: { name } });
  await ask("POST", "/api/v1/namespaces/ns-b/serviceaccounts", admin, { metadata: { name: "other" } });
  const { body } = await ask("POST", "/api/v1/namespaces/ns-b/serviceaccounts/other/token", admin, { spec: {} });
  const { token } = (JSON.parse(body) as { status: { token: string } }).status;
  everybody = [
    { agent: agent() },
    { agent: agent(), token: "unknown" },
    { agent: agent(issueCertificate(assets.ca, { commonName: "old", usages: ["client"], lifetimeMs: -1000 }, now)) },
    {
      agent: agent(issueCertificate(foreign, { commonName: "eve", organizations: ["system:masters"], usages: ["client"] }, now)),
    },
    { agent: agent(issueCertificate(assets.ca, { commonName: "jane", usages: ["client"] }, now)) },
    {
      agent: agent(
        issueCertificate(
          assets.ca,
          { commonName: "system:node:other", organizations: ["system:nodes"], usages: ["client"] },
          now,
        ),
      ),
    },
    { agent: agent(), token },
  ];
}, 60_000);
afterAll(async () => {
  for (const { agent } of [admin, ...everybody]) agent.destroy();
  await server.stop();
  await kv.close();
});

function ask(method: string, path: string, who: Who, sent?: object): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const text = sent === undefined ? undefined : JSON.stringify(sent);
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const headers = {
      ...(who.token === undefined ? {} : { authorization: `Bearer ${who.token}` }),
      ...(text === undefined ? {} : { "content-type": type, "content-length": Buffer.byteLength(text) }),
    };
    const out = request(`${server.url}${path}`, { method, agent: who.agent, headers }, (response) => {
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    out.on("error", reject);
    out.end(text);
  });
}

async function endpoints(): Promise<readonly (readonly [method: string, path: string])[]> {
  const { body } = await ask("GET", "/apis", admin);
  const { groups } = JSON.parse(body) as { groups: { versions: { groupVersion: string }[] }[] };
  const roots = ["/api/v1", ...groups.flatMap(({ versions }) => versions.map(({ groupVersion }) => `/apis/${groupVersion}`))];
  const found: (readonly [string, string])[] = PATHS.map((path) => ["GET", path]);
  for (const root of roots) {
    const { resources } = JSON.parse((await ask("GET", root, admin)).body) as { resources: ApiResource[] };
    for (const { name, namespaced, verbs } of resources) {
      const [plural, ...sub] = name.split("/");
      const scope = namespaced ? `${root}/namespaces/ns-a` : root;
      for (const [verb, [method, isNamed]] of Object.entries(METHODS)) {
        if (!verbs.includes(verb)) continue;
        const tail = isNamed || sub.length > 0 ? ["x", ...sub] : sub;
        found.push([method, [scope, plural, ...tail].join("/")]);
      }
    }
  }
  return found;
}

test("whatever the index of paths shows has a row", async () => {
  const { paths } = JSON.parse((await ask("GET", "/", admin)).body) as { paths: readonly string[] };
  const known = new Set(["/", ...(await endpoints()).map(([, path]) => path)]);
  // Each check of health is like the next; of a group's own path the resources below are rows.
  const isLike = (path: string): boolean =>
    /^\/(healthz|livez|readyz|metrics)\//.test(path) || [...known].some((each) => each.startsWith(`${path}/`));
  expect(paths.filter((path) => !known.has(path) && !isLike(path))).toEqual([]);
});

test("every endpoint answers what is written down", async () => {
  const all = await endpoints();
  const lines: string[] = new Array(all.length);
  let next = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < all.length; i = next++) {
      const [method, path] = all[i] as readonly [string, string];
      const sent = method === "GET" || method === "DELETE" ? undefined : {};
      const statuses: number[] = [];
      for (const who of everybody) statuses.push((await ask(method, path, who, sent)).status);
      lines[i] = `${method} ${path}: ${statuses.join(" ")}`;
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  const told = `${HEAD}${lines.join("\n")}\n`;
  if (process.env.UPDATE_GOLDEN) writeFileSync(GOLDEN, told);
  expect(told.split("\n")).toEqual(readFileSync(GOLDEN, "utf8").split("\n"));
  // Whatever the endpoint: nobody gets in with what is no credential.
  expect(lines.filter((line) => !/: 401 401 401 401 \d{3} \d{3} \d{3}$/.test(line))).toEqual([]);
}, 120_000);
