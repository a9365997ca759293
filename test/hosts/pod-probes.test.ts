import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type PodCluster, podClusterKinds, START_TIMEOUT_MS } from "../support/pod-cluster.ts";
import { PodServers, type Speech } from "../support/pod-servers.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
type Any = any;

const SOON = { timeout: 90_000, interval: 100 };
const CORE = "/api/v1/namespaces/default";
const PORT = 8080;
const DEAF = ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"];
const RESTARTED = "Container c failed liveness probe, will be restarted";

/** A pod, and what comes of its probes. */
interface ProbeCase {
  readonly name: string;
  /** What its server speaks; a pod of its own command without one. */
  readonly speech?: Speech;
  readonly isIll?: true;
  readonly container: object;
  readonly graceSeconds?: number;
  /** What the container's status comes to. */
  readonly comes: object;
  /** Events among those that are told, `REASON MESSAGE`; `{ip}` is the pod's address. */
  readonly told?: readonly string[];
  /** What its server is asked. */
  readonly asked?: string;
  /** Simulated nodes speak neither TLS nor gRPC, and have no processes that take their time. */
  readonly isRealOnly?: true;
}

const often = { periodSeconds: 1, failureThreshold: 1 };
const http = (path: string, scheme = "HTTP"): object => ({
  httpGet: { path, port: PORT, scheme },
  ...often,
  failureThreshold: 60,
});
const once = (probe: object): object => ({ ...probe, ...often });
const well = { ready: true, restartCount: 0 };
const again = { lastState: { terminated: {} } };

const cases: readonly ProbeCase[] = [
  {
    name: "HTTPS, with a certificate that nobody knows",
    speech: "https",
    container: { livenessProbe: http("/healthz", "HTTPS"), readinessProbe: http("/healthz", "HTTPS") },
    comes: well,
    asked: "GET /healthz kube-probe/1.36",
    isRealOnly: true,
  },
  {
    name: "HTTPS of a server that is ill",
    speech: "https",
    isIll: true,
    container: { livenessProbe: { ...http("/healthz", "HTTPS"), failureThreshold: 5 } },
    comes: again,
    told: ["Unhealthy Liveness probe failed: HTTP probe failed with statuscode: 500", `Killing ${RESTARTED}`],
    isRealOnly: true,
  },
  {
    name: "gRPC",
    speech: "grpc",
    container: { readinessProbe: { grpc: { port: PORT, service: "liveness" }, periodSeconds: 1 } },
    comes: well,
    asked: "grpc liveness",
    isRealOnly: true,
  },
  {
    name: "gRPC of a service that is ill",
    speech: "grpc",
    isIll: true,
    container: { livenessProbe: { grpc: { port: PORT }, periodSeconds: 1, failureThreshold: 5 } },
    comes: again,
    told: ['Unhealthy Liveness probe failed: service unhealthy (responded with "NOT_SERVING")', `Killing ${RESTARTED}`],
    isRealOnly: true,
  },
  {
    name: "gRPC of a service that the server does not know",
    speech: "grpc",
    container: { readinessProbe: once({ grpc: { port: PORT, service: "none" } }) },
    comes: { ready: false, started: true },
    told: ["Unhealthy Readiness probe failed: error: health rpc probe failed: rpc error: code = NotFound desc = unknown service"],
    isRealOnly: true,
  },
  {
    name: "gRPC where nobody listens",
    speech: "grpc",
    container: { readinessProbe: once({ grpc: { port: 81 } }) },
    comes: { ready: false, started: true },
    told: ['Unhealthy Readiness probe failed: timeout: failed to connect service "{ip}:81" within 1s: context deadline exceeded'],
    isRealOnly: true,
  },
  {
    name: "HTTP that leads to another path",
    speech: "http",
    container: { readinessProbe: http("/away") },
    comes: well,
    asked: "GET /healthz kube-probe/1.36",
    isRealOnly: true,
  },
  {
    name: "HTTP that leads to another host, which is not asked",
    speech: "http",
    container: { readinessProbe: http("/elsewhere") },
    comes: well,
    told: ["ProbeWarning Readiness probe warning: Probe terminated redirects, Response body: over there"],
    isRealOnly: true,
  },
  {
    name: "a command that fails after a while",
    container: {
      command: ["sh", "-c", "echo ok > /tmp-health; sleep 3; rm -f /tmp-health; sleep 600"],
      livenessProbe: once({ exec: { command: ["cat", "/tmp-health"] } }),
    },
    comes: again,
    told: ["Unhealthy Liveness probe failed: cat: can't open '/tmp-health': No such file or directory\n", `Killing ${RESTARTED}`],
  },
  {
    name: "a command that takes longer than it may",
    container: { livenessProbe: once({ exec: { command: ["sleep", "60"] }, timeoutSeconds: 1 }) },
    comes: again,
    told: [`Killing ${RESTARTED}`],
    isRealOnly: true,
  },
  {
    name: "a connection, to a port where nobody listens",
    container: { livenessProbe: once({ tcpSocket: { port: 81 } }) },
    comes: again,
    told: ["Unhealthy Liveness probe failed: dial tcp {ip}:81: connect: connection refused", `Killing ${RESTARTED}`],
    isRealOnly: true,
  },
  {
    name: "the probe's own time to end stands above the pod's",
    container: {
      command: DEAF,
      livenessProbe: { ...once({ exec: { command: ["cat", "/none"] } }), terminationGracePeriodSeconds: 1 },
    },
    graceSeconds: 600,
    comes: { lastState: { terminated: { exitCode: 137 } } },
    told: [`Killing ${RESTARTED}`],
  },
];

/** What upstream's container_probe.go and lifecycle_hook.go look for, beyond what test/integration asks of a server with pages. */
describe.each(podClusterKinds)("probes and hooks of pods on $name", (kind) => {
  const isReal = kind.name.startsWith("containerd");
  const mine = cases
    .filter(({ isRealOnly }) => isReal || isRealOnly === undefined)
    .map((one, at) => ({ ...one, pod: `probed-${at}` }));
  const deaf = mine.find(({ graceSeconds }) => graceSeconds !== undefined)?.pod;
  const servers = new PodServers();
  let pods: PodCluster;
  let ask: PodCluster["ask"];
  beforeAll(async () => {
    const simulation = {
      serve(connection: Any, { pod }: { pod: string }) {
        servers.take(connection, pod);
        return true;
      },
    };
    pods = await kind.start({ simulation });
    ask = pods.ask;
    await Promise.all(mine.map(begin));
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await pods?.stop();
    await servers[Symbol.asyncDispose]();
  }, START_TIMEOUT_MS);

  /** Leads a pod's port to a server of this process, which has the first address of the pod's network. */
  const leading = async (pod: string, speech: Speech): Promise<readonly string[]> => {
    const address = "IP=$(hostname -i)";
    return ["sh", "-c", `${address}; exec nc -ll -p ${PORT} -e nc \${IP%.*}.1 ${await servers.portOf(pod, speech)}`];
  };
  const create = async (name: string, spec: object): Promise<void> => {
    const made = await ask("POST", `${CORE}/pods`, {
      // Simulated containers take no heed of traps.
      metadata: { name, annotations: { "kybern.io/simulated-stop-seconds": name === deaf ? "600" : "0" } },
      spec: { terminationGracePeriodSeconds: 1, ...spec },
    });
    expect(made.status, made.text).toBe(201);
  };
  const begin = async ({ pod, speech, isIll, container, graceSeconds }: (typeof mine)[number]): Promise<void> => {
    if (isIll) servers.ill.add(pod);
    const command = speech === undefined || !pods.isReal ? ["sleep", "86400"] : await leading(pod, speech);
    const containers = [{ name: "c", image: pods.image, command, ports: [{ containerPort: PORT }], ...container }];
    await create(pod, { containers, ...(graceSeconds !== undefined && { terminationGracePeriodSeconds: graceSeconds }) });
  };
  const podOf = async (name: string): Promise<Any> => (await ask("GET", `${CORE}/pods/${name}`)).body;
  const statusOf = async (name: string): Promise<Any> => (await podOf(name)).status?.containerStatuses?.[0];
  const eventsOf = async (name: string): Promise<readonly string[]> =>
    (await ask("GET", `${CORE}/events?fieldSelector=involvedObject.name%3D${name}`)).body.items.map(
      ({ reason, message }: Any) => `${reason} ${message}`,
    );
  const gone = (name: string) =>
    vi.waitFor(async () => expect((await ask("GET", `${CORE}/pods/${name}`)).status).toBe(404), SOON);

  test.each(mine)("$name", async ({ pod, comes, told = [], asked }) => {
    await vi.waitFor(async () => expect(await statusOf(pod)).toMatchObject(comes), SOON);
    const { podIP } = (await podOf(pod)).status;
    const wanted = told.map((text) => text.replace("{ip}", podIP));
    await vi.waitFor(async () => expect(await eventsOf(pod)).toEqual(expect.arrayContaining(wanted)), SOON);
    if (asked !== undefined) expect(servers.asked).toContain(`${pod} ${asked}`);
    // What goes on failing would take the others' time.
    await ask("DELETE", `${CORE}/pods/${pod}?gracePeriodSeconds=1`);
  });

  test("a pod is not ready before its probe's delay is over", async () => {
    const pod = "delayed";
    const readinessProbe = { exec: { command: ["true"] }, initialDelaySeconds: 4, ...often };
    await create(pod, { containers: [{ name: "c", image: pods.image, command: ["sleep", "86400"], readinessProbe }] });
    await vi.waitFor(async () => expect(await statusOf(pod)).toMatchObject(well), SOON);
    const { status } = await podOf(pod);
    const { lastTransitionTime } = status.conditions.find(({ type }: Any) => type === "Ready");
    const startedAt = status.containerStatuses[0].state.running.startedAt;
    expect(Date.parse(lastTransitionTime) - Date.parse(startedAt)).toBeGreaterThanOrEqual(3000);
  });

  test("hooks ask servers after the start and before the end, with and without TLS", async () => {
    const schemes: readonly ("HTTP" | "HTTPS")[] = pods.isReal ? ["HTTP", "HTTPS"] : ["HTTP"];
    for (const scheme of schemes) {
      const name = `hooks-${scheme.toLowerCase()}`;
      const speech = scheme === "HTTP" ? "http" : "https";
      const where = pods.isReal ? { host: "127.0.0.1", port: await servers.portOf(name, speech) } : { port: PORT };
      const hook = (path: string): object => ({ httpGet: { ...where, scheme, path } });
      const lifecycle = { postStart: hook("/after"), preStop: hook("/before") };
      const ports = [{ containerPort: PORT }];
      await create(name, { containers: [{ name: "c", image: pods.image, command: ["sleep", "86400"], ports, lifecycle }] });
      await vi.waitFor(async () => expect(await statusOf(name)).toMatchObject(well), SOON);
      const agent = "kube-lifecycle/1.36";
      expect(servers.asked).toContain(`${name} GET /after ${agent}`);
      expect(servers.asked).not.toContain(`${name} GET /before ${agent}`);
      await ask("DELETE", `${CORE}/pods/${name}`);
      await gone(name);
      expect(servers.asked).toContain(`${name} GET /before ${agent}`);
    }
  });

  test("commands are hooks: one that fails after the start ends the container, one before an end is waited for", async () => {
    const volumeMounts = [{ name: "v", mountPath: "/v" }];
    const run = (command: string) =>
      ask("POST", `/api/v1/nodes/${pods.nodeName}/proxy/run/default/hooked/w?cmd=${encodeURIComponent(command)}`);
    const hooked = {
      lifecycle: {
        postStart: { exec: { command: ["sh", "-c", "echo up > /v/up"] } },
        preStop: { exec: { command: ["sh", "-c", "sleep 1; echo down > /v/down"] } },
      },
      livenessProbe: once({ exec: { command: ["sh", "-c", "test ! -e /v/ill"] } }),
    };
    const sleeping = { image: pods.image, command: ["sleep", "86400"], volumeMounts };
    await create("hooked", {
      terminationGracePeriodSeconds: 30,
      volumes: [{ name: "v", emptyDir: {} }],
      containers: [
        { name: "c", ...sleeping, ...hooked },
        { name: "w", ...sleeping },
      ],
    });
    await vi.waitFor(async () => expect((await podOf("hooked")).status.containerStatuses).toMatchObject([well, well]), SOON);
    expect((await run("ls /v")).text).toBe("up\n");
    await run("touch /v/ill");
    await vi.waitFor(async () => expect((await run("ls /v")).text).toContain("down"), SOON);
    await ask("DELETE", `${CORE}/pods/hooked?gracePeriodSeconds=1`);
    await gone("hooked");
  });
});
