import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
type Any = any;

const SOON = { timeout: 20_000, interval: 50 };
const CORE = "/api/v1/namespaces/default";

/** What upstream's container_probe.go and lifecycle_hook.go of test/e2e/common/node look for. */
describe("probes and hooks of simulated containers", () => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  /** Pods whose server is ill; and what pods were asked for. */
  const ill = new Set<string>();
  const asked: string[] = [];
  let server: Server;
  beforeAll(async () => {
    const names = new WeakMap<object, string>();
    server = createServer((request, response) => {
      const pod = names.get(request.socket) ?? "";
      asked.push(`${pod} ${request.url}`);
      response.writeHead(ill.has(pod) ? 500 : 200).end();
    });
    const simulation = {
      serve(connection: Any, { pod }: { pod: string }) {
        names.set(connection, pod);
        server.emit("connection", connection);
        return true;
      },
    };
    cluster = await startCluster({ nodes: 1, simulation });
    ask = asker(cluster);
    await vi.waitFor(async () => expect((await ask("GET", `${CORE}/serviceaccounts/default`)).status).toBe(200), SOON);
  });
  afterAll(async () => {
    await cluster?.stop();
    server.close();
  });

  const create = async (name: string, container: object): Promise<void> => {
    const containers = [{ name: "c", image: "i", ports: [{ name: "web", containerPort: 8080 }], ...container }];
    const made = await ask("POST", `${CORE}/pods`, {
      metadata: { name },
      spec: { containers, terminationGracePeriodSeconds: 2 },
    });
    expect(made.status, made.text).toBe(201);
  };
  const statusOf = async (name: string): Promise<Any> =>
    (await ask("GET", `${CORE}/pods/${name}`)).body.status?.containerStatuses?.[0];
  const until = (name: string, want: object) => vi.waitFor(async () => expect(await statusOf(name)).toMatchObject(want), SOON);
  const events = async (name: string, reason: string): Promise<string[]> =>
    (await ask("GET", `${CORE}/events?fieldSelector=involvedObject.name%3D${name}%2Creason%3D${reason}`)).body.items.map(
      ({ message }: Any) => message,
    );
  const http = (more: object = {}): object => ({ httpGet: { path: "/healthz", port: "web" }, periodSeconds: 1, ...more });

  test("a server that is ill is not ready, and is again when it is well", async () => {
    ill.add("readiness");
    await create("readiness", { readinessProbe: http({ failureThreshold: 1 }) });
    const told = "Readiness probe failed: HTTP probe failed with statuscode: 500";
    await vi.waitFor(async () => expect(await events("readiness", "Unhealthy")).toEqual([told]), SOON);
    expect(await statusOf("readiness")).toMatchObject({ started: true, ready: false, restartCount: 0 });
    ill.delete("readiness");
    await until("readiness", { ready: true });
    ill.add("readiness");
    await until("readiness", { ready: false, restartCount: 0 });
  });

  test("a server that stays ill is started again, a healthy one is not", async () => {
    await Promise.all(["alive", "dying"].map((name) => create(name, { livenessProbe: http({ failureThreshold: 2 }) })));
    await until("dying", { ready: true });
    ill.add("dying");
    await until("dying", { restartCount: 1 });
    ill.delete("dying");
    expect(await events("dying", "Killing")).toEqual(["Container c failed liveness probe, will be restarted"]);
    expect(await statusOf("alive")).toMatchObject({ ready: true, restartCount: 0 });
  });

  test("the other probes wait for the startup probe, and one that never succeeds starts the container again", async () => {
    ill.add("slow");
    const startupProbe = { exec: { command: ["cat", "/missing"] }, periodSeconds: 1, failureThreshold: 2 };
    await Promise.all([
      create("slow", { startupProbe: http({ failureThreshold: 60 }), livenessProbe: http({ failureThreshold: 1 }) }),
      create("never", { startupProbe }),
    ]);
    await until("never", { started: false, restartCount: 1 });
    expect(await events("never", "Killing")).toEqual(["Container c failed startup probe, will be restarted"]);
    expect(await events("never", "Unhealthy")).toEqual([
      "Startup probe failed: cat: can't open '/missing': No such file or directory\n",
    ]);
    expect(await statusOf("slow")).toMatchObject({ started: false, ready: false, restartCount: 0 });
    ill.delete("slow");
    await until("slow", { started: true, ready: true, restartCount: 0 });
  });

  test("hooks are carried out, and the failure of one is told", async () => {
    const hook = (path: string): object => ({ httpGet: { path, port: 8080 } });
    await create("hooks", { lifecycle: { postStart: hook("/after"), preStop: hook("/before") } });
    await until("hooks", { ready: true });
    expect(asked).toContain("hooks /after");
    await ask("DELETE", `${CORE}/pods/hooks`);
    await vi.waitFor(async () => expect((await ask("GET", `${CORE}/pods/hooks`)).status).toBe(404), SOON);
    expect(asked).toContain("hooks /before");
    await create("hooks-fail", { lifecycle: { postStart: { exec: { command: ["sh", "-c", "exit 1"] } } } });
    await vi.waitFor(
      async () => expect(await events("hooks-fail", "FailedPostStartHook")).toEqual(["PostStartHook failed"]),
      SOON,
    );
    await until("hooks-fail", { restartCount: 1 });
  });
});
