import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type PodCluster, podClusterKinds, START_TIMEOUT_MS } from "../support/pod-cluster.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
type Any = any;

const SOON = { timeout: 20_000, interval: 50 };
const CORE = "/api/v1/namespaces/default";

/** What upstream's container_probe.go and lifecycle_hook.go of test/e2e/common/node look for. */
describe.each(podClusterKinds)("probes and hooks of containers on $name", (kind) => {
  let pods: PodCluster;
  let ask: PodCluster["ask"];
  /** Simulated pods whose server is ill; and what simulated pods were asked for. */
  const ill = new Set<string>();
  const simulatedAsked: string[] = [];
  /** Where real hooks lead: a pod that tells what it was asked. */
  let witness = {};
  let server: Server;
  beforeAll(async () => {
    const names = new WeakMap<object, string>();
    server = createServer((request, response) => {
      const pod = names.get(request.socket) ?? "";
      simulatedAsked.push(`${request.url}`);
      response.writeHead(ill.has(pod) ? 404 : 200).end();
    });
    const simulation = {
      serve(connection: Any, { pod }: { pod: string }) {
        names.set(connection, pod);
        server.emit("connection", connection);
        return true;
      },
    };
    pods = await kind.start({ simulation });
    ask = pods.ask;
    if (!pods.isReal) return;
    await create("witness", { command: ["httpd", "-f", "-vv", "-p", "8080", "-h", "/tmp"] });
    await until("witness", { ready: true });
    witness = { host: (await ask("GET", `${CORE}/pods/witness`)).body.status.podIP };
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await pods?.stop();
    server.close();
  }, START_TIMEOUT_MS);

  /** Real containers have a web server that is well when it has a page. */
  const command = (isIll: boolean): object => {
    const script = `mkdir -p /www; ${isIll ? "" : "touch /www/healthz;"} exec httpd -f -p 8080 -h /www`;
    return pods.isReal ? { command: ["sh", "-c", script] } : {};
  };
  const create = async (name: string, container: object): Promise<void> => {
    const ports = [{ name: "web", containerPort: 8080 }];
    const containers = [{ name: "c", image: pods.image, ports, ...command(ill.has(name)), ...container }];
    const made = await ask("POST", `${CORE}/pods`, {
      metadata: { name },
      spec: { containers, terminationGracePeriodSeconds: 2 },
    });
    expect(made.status, made.text).toBe(201);
  };
  /** Makes the server of a pod that runs ill, or well. */
  const setIll = async (name: string, isIll: boolean): Promise<void> => {
    if (isIll) ill.add(name);
    else ill.delete(name);
    const script = encodeURIComponent(isIll ? "rm /www/healthz" : "touch /www/healthz");
    if (pods.isReal) await ask("POST", `/api/v1/nodes/${pods.nodeName}/proxy/run/default/${name}/c?cmd=${script}`);
  };
  const asked = async (): Promise<string> =>
    pods.isReal ? (await ask("GET", `${CORE}/pods/witness/log`)).text : simulatedAsked.join("\n");
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
    const told = "Readiness probe failed: HTTP probe failed with statuscode: 404";
    await vi.waitFor(async () => expect(await events("readiness", "Unhealthy")).toContain(told), SOON);
    await until("readiness", { started: true, ready: false, restartCount: 0 });
    await setIll("readiness", false);
    await until("readiness", { ready: true });
    await setIll("readiness", true);
    await until("readiness", { ready: false, restartCount: 0 });
  });

  test("a server that stays ill is started again, a healthy one is not", async () => {
    await Promise.all(["alive", "dying"].map((name) => create(name, { livenessProbe: http({ failureThreshold: 2 }) })));
    await until("dying", { ready: true });
    await setIll("dying", true);
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
    await setIll("slow", false);
    await until("slow", { started: true, ready: true, restartCount: 0 });
  });

  test("hooks are carried out, and the failure of one is told", async () => {
    const hook = (path: string): object => ({ httpGet: { path, port: 8080, ...witness } });
    await create("hooks", { lifecycle: { postStart: hook("/after"), preStop: hook("/before") } });
    await until("hooks", { ready: true });
    expect(await asked()).toContain("/after");
    await ask("DELETE", `${CORE}/pods/hooks`);
    await vi.waitFor(async () => expect((await ask("GET", `${CORE}/pods/hooks`)).status).toBe(404), SOON);
    expect(await asked()).toContain("/before");
    await create("hooks-fail", { lifecycle: { postStart: { exec: { command: ["sh", "-c", "exit 1"] } } } });
    await vi.waitFor(
      async () => expect(await events("hooks-fail", "FailedPostStartHook")).toEqual(["PostStartHook failed"]),
      SOON,
    );
    await until("hooks-fail", { restartCount: 1 });
  });
});
