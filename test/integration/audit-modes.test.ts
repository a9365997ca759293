import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { protobufValue } from "#apiserver/protobuf-value.ts";
import type { AuditOptions } from "#kube-apiserver/audit/audit.ts";
import { GuardedServer } from "../support/guarded-server.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitManagedFields: true
rules:
- { level: RequestResponse, resources: [{ resources: [configmaps] }] }
- { level: None }
`;

/** The record's modes and forms, with a log in a folder of the test's own. */
let dir: string;
let server: GuardedServer | undefined;
let hook: Server | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "kybern-audit-modes-"));
  writeFileSync(join(dir, "policy.yaml"), POLICY);
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
  hook?.closeAllConnections();
  hook?.close();
  hook = undefined;
  rmSync(dir, { recursive: true, force: true });
});

async function start(options: AuditOptions): Promise<GuardedServer> {
  server = await GuardedServer.start({ audit: { policyFile: join(dir, "policy.yaml"), ...options } });
  return server;
}
const logPath = (): string => join(dir, "audit.log");
const lines = (): string[] => readFileSync(logPath(), "utf8").split("\n").slice(0, -1);
// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was written.
const events = (): any[] => lines().map((line) => JSON.parse(line));
const map = (name: string, data: string): object => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { data } });

/** A webhook that answers with a status after a while; returns its kubeconfig. */
async function startHook(status: number, waitMs = 0): Promise<{ readonly kubeconfig: string; readonly bodies: string[] }> {
  const bodies: string[] = [];
  hook = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const answer = (): void => {
        bodies.push(body);
        response.writeHead(status).end("{}");
      };
      waitMs === 0 ? answer() : setTimeout(answer, waitMs);
    });
  });
  await new Promise<void>((resolve) => hook?.listen(0, "127.0.0.1", resolve));
  const { port } = hook.address() as AddressInfo;
  const kubeconfig = join(dir, "hook.json");
  const named = { clusters: [{ name: "c", cluster: { server: `http://127.0.0.1:${port}/` } }], users: [{ name: "u", user: {} }] };
  writeFileSync(
    kubeconfig,
    JSON.stringify({ "current-context": "c", contexts: [{ name: "c", context: { cluster: "c", user: "u" } }], ...named }),
  );
  return { kubeconfig, bodies };
}

test("bodies that come and go as protobuf are written down as JSON", async () => {
  const running = await start({ logPath: logPath() });
  const { admin } = running;
  const protobuf = "application/vnd.kubernetes.protobuf";
  const headers = { "content-type": protobuf, accept: protobuf };
  const answer = await running.ask(admin, "POST", MAPS, Buffer.from(protobufValue(map("m", "1"))), headers);
  expect(answer.status).toBe(201);
  expect(answer.headers["content-type"]).toBe(protobuf);
  const [, complete] = events();
  expect(complete.requestObject).toMatchObject(map("m", "1"));
  expect(complete.responseObject).toMatchObject({ ...map("m", "1"), metadata: { name: "m", uid: expect.any(String) } });
  expect(complete.responseObject.metadata.managedFields).toBeUndefined();
  const gone = await running.ask(admin, "DELETE", `${MAPS}/m`, undefined, { accept: protobuf });
  expect(gone.status).toBe(200);
  expect(events().at(-1).responseObject).toMatchObject({ kind: "Status", status: "Success" });
});

test("large events lose their bodies", async () => {
  const running = await start({ logPath: logPath(), logTruncate: { maxEventSize: 2_000, maxBatchSize: 10_000 } });
  await running.made(MAPS, map("large", "x".repeat(5_000)));
  await running.made(MAPS, map("small", "x"));
  const [large, small] = events().filter(({ stage }) => stage === "ResponseComplete");
  expect(large.annotations["audit.k8s.io/truncated"]).toBe("true");
  expect(large).not.toHaveProperty("requestObject");
  expect(small.requestObject).toMatchObject(map("small", "x"));
});

test("a log in the format legacy has one text a stage", async () => {
  const running = await start({ logPath: logPath(), logFormat: "legacy" });
  await running.made(MAPS, map("m", "x"));
  expect(lines()).toHaveLength(2);
  expect(lines()[1]).toMatch(
    /^20.*Z AUDIT: id="[-0-9a-f]{36}" stage="ResponseComplete" ip="127.0.0.1" method="create" user="kubernetes-admin" .* namespace="default" uri="\/api\/v1\/namespaces\/default\/configmaps" response="201"$/,
  );
});

test("with blocking-strict nothing is done that is not on record, with blocking it is", async () => {
  const strict = await start({ logPath: "/dev/full", logMode: "blocking-strict" });
  const refused = await strict.ask(strict.admin, "POST", MAPS, map("m", "x"));
  expect(refused.status).toBe(500);
  expect(refused.text).toContain("failed to store audit event");
  // The policy asks for no record of this.
  expect((await strict.ask(strict.admin, "GET", "/api/v1/namespaces/default")).status).toBe(200);
  await strict.stop();
  const blocking = await start({ logPath: "/dev/full", logMode: "blocking" });
  expect((await blocking.ask(blocking.admin, "GET", `${MAPS}/m`)).status).toBe(404);
  await blocking.made(MAPS, map("m", "x"));
});

test("a webhook in the mode blocking has an event before the client has the answer, in the mode batch later", async () => {
  const { kubeconfig, bodies } = await startHook(200, 50);
  const blocking = await start({ webhookConfigFile: kubeconfig, webhookMode: "blocking" });
  await blocking.made(MAPS, map("m", "x"));
  expect(bodies.map((body) => JSON.parse(body).items[0].stage)).toEqual(["RequestReceived", "ResponseComplete"]);
  await blocking.stop();
  const batched = await start({ webhookConfigFile: kubeconfig, webhookBatch: { maxSize: 400, maxWaitMs: 60_000 } });
  await batched.made(MAPS, map("m", "x"));
  expect(bodies).toHaveLength(2);
  await batched.stop();
  server = undefined;
  expect(JSON.parse(bodies[2] ?? "").items).toHaveLength(2);
});

test("a webhook that refuses events stops requests in the mode blocking-strict alone", async () => {
  const { kubeconfig } = await startHook(400);
  const strict = await start({ webhookConfigFile: kubeconfig, webhookMode: "blocking-strict" });
  expect((await strict.ask(strict.admin, "POST", MAPS, map("m", "x"))).status).toBe(500);
  await strict.stop();
  const blocking = await start({ webhookConfigFile: kubeconfig, webhookMode: "blocking" });
  await blocking.made(MAPS, map("m", "x"));
});
