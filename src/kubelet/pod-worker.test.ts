import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Pod, PodStatus } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import { FakeRuntime } from "#cri/fake/fake-runtime.ts";
import { PodServer } from "#cri/fake/pod-server.ts";
import { SimulatedHandlers } from "./handlers/simulated-handlers.ts";
import { SimulatedVolumes } from "./inside/simulated-volumes.ts";
import type { Sources } from "./inside/sources.ts";
import { PodEnvironment } from "./pod-environment.ts";
import { PodWorker } from "./pod-worker.ts";
import { decorate, noCgroups, SimulatedImages } from "./simulated-modules.ts";
import type { StatusManager } from "./status-manager.ts";

/** ConfigMaps that are there. */
const kept = new Set<string>();

interface Run {
  readonly worker: PodWorker;
  readonly statuses: PodStatus[];
  readonly finals: boolean[];
  readonly events: string[];
  readonly messages: string[];
}

function start(pod: Pod, begin: (worker: PodWorker) => void = (worker) => worker.resume()): Run {
  const statuses: PodStatus[] = [];
  const finals: boolean[] = [];
  const events: string[] = [];
  const messages: string[] = [];
  const ips = { allocateIps: () => ["10.244.0.2"], releaseIp: () => {} };
  const random = seededRandom(1);
  const runtime = new FakeRuntime({ clock: realClock, random, podServer: new PodServer(), ...ips, idPrefix: "a" });
  const statusManager = {
    write(_pod: Pod, status: PodStatus, final: boolean) {
      statuses.push(status);
      finals.push(final);
    },
  } as unknown as StatusManager;
  const recorder = {
    event: (_target: unknown, _type: string, reason: string, message: string) => {
      events.push(reason);
      messages.push(message);
    },
    flush: async () => {},
  };
  const sources: Sources = {
    configMap: async (_namespace, name) => (kept.has(name) ? ({ metadata: { name }, data: { k: "v" } } as never) : undefined),
    secret: async () => undefined,
    services: async () => [],
    token: async () => ({ token: "t", refreshAtMs: 0 }),
  };
  const environment = new PodEnvironment({ sources, clock: realClock, allocatable: () => ({}), tellsServices: false });
  const inside = { sources, clock: realClock, allocatable: () => ({}), allowance: runtime.allowance };
  const handlers = new SimulatedHandlers({ runtime, clock: realClock, connect: undefined });
  const worker = new PodWorker(pod, {
    runtime,
    statusManager,
    recorder,
    clock: realClock,
    runtimeName: "fake",
    hostIps: ["172.18.0.2"],
    environment,
    volumes: new SimulatedVolumes(inside, environment),
    cgroups: noCgroups,
    images: new SimulatedImages(recorder),
    decorate,
    handlers,
  });
  runtime.getContainerEvents(({ type }) => {
    if (type === "CONTAINER_STOPPED_EVENT") worker.wake();
  });
  begin(worker);
  return { worker, statuses, finals, events, messages };
}

const settle = async (ms = 20): Promise<void> => void (await vi.advanceTimersByTimeAsync(ms));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function podOf(spec: Partial<Pod["spec"]>, metadata: object = {}): Pod {
  return {
    metadata: { name: "p", namespace: "default", uid: "u", generation: 1, ...metadata },
    spec: { containers: [{ name: "app", image: "i" }], restartPolicy: "Always", ...spec },
  } as Pod;
}

test("a server becomes ready, and ends when it is deleted", async () => {
  const run = start(podOf({}));
  await settle();
  expect(run.statuses.at(-1)).toMatchObject({
    phase: "Running",
    podIP: "10.244.0.2",
    hostIP: "172.18.0.2",
    observedGeneration: 1,
  });
  expect(run.statuses.at(-1)?.conditions?.map(({ type, status }) => `${type}=${status}`)).toEqual([
    "PodReadyToStartContainers=True",
    "Initialized=True",
    "Ready=True",
    "ContainersReady=True",
    "PodScheduled=True",
  ]);
  expect(run.events).toEqual(["Pulled", "Created", "Started"]);
  run.worker.update(podOf({}, { deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 30 }));
  await settle();
  expect(run.finals.at(-1)).toBe(true);
  expect(run.statuses.at(-1)?.phase).toBe("Failed");
  expect(run.events.at(-1)).toBe("Killing");
});

test("a job's pod succeeds, its sidecar is stopped", async () => {
  const initContainers = [{ name: "side", image: "i", restartPolicy: "Always" }];
  const annotations = { "kybern.io/simulated-run-seconds.app": "0.01" };
  const run = start(podOf({ restartPolicy: "Never", initContainers }, { annotations }));
  await settle(60);
  expect(run.statuses.at(-1)).toMatchObject({ phase: "Succeeded" });
  expect(run.statuses.at(-1)?.conditions?.find(({ type }) => type === "Ready")).toMatchObject({
    status: "False",
    reason: "PodCompleted",
  });
  expect(run.statuses.at(-1)?.initContainerStatuses?.[0]?.state?.terminated).toBeDefined();
});

test("a container that fails again and again is held back", async () => {
  const annotations = { "kybern.io/simulated-run-seconds": "0.01", "kybern.io/simulated-exit-code": "2" };
  const run = start(podOf({}, { annotations }));
  await settle(100);
  expect(run.statuses.at(-1)?.containerStatuses?.[0]).toMatchObject({
    restartCount: 1,
    ready: false,
    state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 10s restarting failed container=app pod=p_default(u)" } },
    lastState: { terminated: { exitCode: 2, reason: "Error" } },
  });
  expect(run.statuses.at(-1)?.phase).toBe("Running");
  expect(run.events).toContain("BackOff");
  await run.worker.remove();
});

const deleting = (graceSeconds: number): object => ({
  deletionTimestamp: "2026-01-01T00:00:00Z",
  deletionGracePeriodSeconds: graceSeconds,
});

test("init containers run one after the other, sidecars stay, and the status says what is missing", async () => {
  const initContainers = [
    { name: "first", image: "i" },
    { name: "side", image: "i", restartPolicy: "Always" },
    { name: "last", image: "i" },
  ];
  const annotations = { "kybern.io/simulated-run-seconds.first": "0.02", "kybern.io/simulated-run-seconds.last": "0.02" };
  const run = start(podOf({ initContainers }, { annotations }));
  await settle(100);
  const seen = run.statuses.map(({ phase, conditions = [] }) => {
    const { status, message = "" } = conditions.find(({ type }) => type === "Initialized") ?? {};
    return `${phase} ${status} ${message}`.trim();
  });
  expect([...new Set(seen)]).toEqual([
    "Pending False containers with incomplete status: [first side last]",
    "Pending False containers with incomplete status: [last]",
    "Running True",
  ]);
  const { initContainerStatuses = [] } = run.statuses.at(-1) ?? {};
  expect(initContainerStatuses.map(({ name, ready, state }) => [name, ready, Object.keys(state ?? {})[0]])).toEqual([
    ["first", true, "terminated"],
    ["side", true, "running"],
    ["last", true, "terminated"],
  ]);
  await run.worker.remove();
});

test("a container that takes its time has its grace period, and no more", async () => {
  vi.useFakeTimers();
  const annotations = { "kybern.io/simulated-stop-seconds": "60" };
  const run = start(podOf({}, { annotations }));
  await vi.advanceTimersByTimeAsync(20);
  run.worker.update(podOf({}, { annotations, ...deleting(30) }));
  await vi.advanceTimersByTimeAsync(20);
  expect(run.finals).not.toContain(true);
  // A second deletion shortens the first.
  run.worker.update(podOf({}, { annotations, ...deleting(0) }));
  await vi.advanceTimersByTimeAsync(1000);
  expect(run.finals.at(-1)).toBe(true);
  expect(run.statuses.at(-1)?.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 137, reason: "Error" });
  expect(run.events.filter((reason) => reason === "Killing")).toEqual(["Killing"]);
  vi.useRealTimers();
});

test("a pod past its deadline fails", async () => {
  const run = start(podOf({ activeDeadlineSeconds: 0.05 }));
  await settle(150);
  expect(run.statuses.at(-1)).toMatchObject({
    phase: "Failed",
    reason: "DeadlineExceeded",
    message: "Pod was active on the node longer than the specified deadline",
  });
  expect(run.events).toContain("DeadlineExceeded");
  expect(run.worker.active).toBe(false);
});

test("a failure is tried again where the policy says so, until it succeeds", async () => {
  const run = start(podOf({ restartPolicy: "OnFailure", containers: [{ name: "app", image: "i", command: ["false"] }] }));
  await settle(60);
  expect(run.statuses.at(-1)).toMatchObject({ phase: "Running" });
  expect(run.statuses.at(-1)?.containerStatuses?.[0]).toMatchObject({
    restartCount: 1,
    lastState: { terminated: { exitCode: 1 } },
  });
  await run.worker.remove();
});

test("a rejected pod starts nothing, and is let go when it is deleted", async () => {
  const run = start(podOf({}), (worker) => worker.reject({ reason: "OutOfcpu", message: "no" }));
  await settle();
  expect(run.statuses).toEqual([
    {
      observedGeneration: 1,
      phase: "Failed",
      reason: "OutOfcpu",
      message: "Pod was rejected: no",
      startTime: expect.any(String),
    },
  ]);
  expect(run.worker.active).toBe(false);
  run.worker.update(podOf({}, deleting(30)));
  await settle();
  expect(run.finals).toEqual([false, true]);
  expect(run.events).toEqual(["OutOfcpu"]);
});

test("a paused worker does nothing until it is resumed", async () => {
  const run = start(podOf({}), (worker) => worker.pause());
  run.worker.update(podOf({}));
  await settle();
  expect(run.statuses).toEqual([]);
  run.worker.resume();
  await settle();
  expect(run.statuses.at(-1)?.phase).toBe("Running");
});

test("what a container or a volume refers to holds it back until it is there", async () => {
  const env = [{ name: "A", valueFrom: { configMapKeyRef: { name: "late", key: "k" } } }];
  const volumes = [{ name: "v", configMap: { name: "volume" } }];
  const run = start(podOf({ containers: [{ name: "app", image: "i", env }], volumes }));
  await settle();
  expect(run.events).toEqual(["FailedMount"]);
  expect(run.statuses.at(-1)?.containerStatuses?.[0]?.state?.waiting).toEqual({ reason: "ContainerCreating" });
  kept.add("volume");
  await settle(1500);
  expect(run.events).toEqual(["FailedMount", "Pulled", "Failed"]);
  expect(run.statuses.at(-1)?.containerStatuses?.[0]?.state?.waiting).toEqual({
    reason: "CreateContainerConfigError",
    message: 'configmap "late" not found',
  });
  kept.add("late");
  await settle(1500);
  expect(run.statuses.at(-1)?.phase).toBe("Running");
  await run.worker.remove();
});

const exec = (...command: string[]) => ({ exec: { command } });
const lastOf = (run: Run) => run.statuses.at(-1)?.containerStatuses?.[0];

test("a container whose liveness probe fails is stopped in the probe's time, and starts again", async () => {
  const command = ["sh", "-c", "touch /healthy; sleep 6; rm /healthy; sleep 600"];
  const livenessProbe = { ...exec("cat", "/healthy"), periodSeconds: 5, failureThreshold: 1, terminationGracePeriodSeconds: 2 };
  const annotations = { "kybern.io/simulated-stop-seconds": "60" };
  const run = start(podOf({ containers: [{ name: "app", image: "i", command, livenessProbe }] }, { annotations }));
  await vi.dynamicImportSettled();
  await settle(9000);
  expect(lastOf(run)?.restartCount).toBe(0);
  await settle(4000);
  expect(lastOf(run)).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 137 } } });
  expect(run.messages).toContain("Liveness probe failed: cat: can't open '/healthy': No such file or directory\n");
  expect(run.messages).toContain("Container app failed liveness probe, will be restarted");
  const gone = run.worker.remove();
  await settle(40_000);
  await gone;
});

test("a startup probe holds the others back, and readiness comes and goes", async () => {
  const containers = [
    {
      name: "app",
      image: "i",
      command: ["sh", "-c", "sleep 12; touch /started; sleep 10; touch /ready; sleep 20; rm /ready; sleep 600"],
      startupProbe: { ...exec("cat", "/started"), periodSeconds: 1, failureThreshold: 60 },
      livenessProbe: { ...exec("cat", "/started"), periodSeconds: 1, failureThreshold: 1 },
      readinessProbe: { ...exec("cat", "/ready"), periodSeconds: 1, failureThreshold: 2 },
    },
  ];
  const run = start(podOf({ containers }));
  await vi.dynamicImportSettled();
  const seen: unknown[] = [];
  for (const ms of [5000, 10_000, 12_000, 20_000]) {
    await settle(ms);
    seen.push([lastOf(run)?.started, lastOf(run)?.ready, lastOf(run)?.restartCount]);
  }
  expect(seen).toEqual([
    [false, false, 0],
    [true, false, 0],
    [true, true, 0],
    [true, false, 0],
  ]);
  await run.worker.remove();
});

test("programs that are not simulated, and ports that nobody answers for, are healthy", async () => {
  const containers = [
    { name: "a", image: "i", readinessProbe: exec("pg_isready"), livenessProbe: { httpGet: { port: 80 } } },
    { name: "b", image: "i", readinessProbe: exec("sh", "-c", "redis-cli ping"), lifecycle: { postStart: exec("nginx", "-t") } },
  ];
  const run = start(podOf({ containers }));
  await vi.dynamicImportSettled();
  await settle(100);
  expect(run.statuses.at(-1)?.containerStatuses?.map(({ ready }) => ready)).toEqual([true, true]);
  await run.worker.remove();
});

test("hooks run after the start and before the end; who fails after the start is stopped", async () => {
  const hooks = { postStart: exec("touch", "/begun"), preStop: exec("sh", "-c", "cat /begun && sleep 5 && exit 1") };
  const containers = [{ name: "app", image: "i", lifecycle: hooks }];
  const run = start(podOf({ containers }));
  await vi.dynamicImportSettled();
  await settle();
  run.worker.update(podOf({ containers }, deleting(30)));
  await settle(4000);
  expect([run.events.at(-1), run.finals.at(-1)]).toEqual(["Killing", false]);
  await settle(2000);
  expect([run.events.at(-1), run.finals.at(-1)]).toEqual(["FailedPreStopHook", true]);

  const failing = start(podOf({ containers: [{ name: "app", image: "i", lifecycle: { postStart: exec("false") } }] }));
  await settle(100);
  expect(failing.events.slice(0, 5)).toEqual(["Pulled", "Created", "Started", "FailedPostStartHook", "Killing"]);
  await failing.worker.remove();
});

test.each([-3_600_000, 3_600_000])("a clock that is set changes nothing of how long things take (%i ms)", async (step) => {
  const annotations = {
    "kybern.io/simulated-run-seconds.bad": "0.01",
    "kybern.io/simulated-exit-code.bad": "2",
  };
  const containers = [
    { name: "app", image: "i" },
    { name: "slow", image: "i", readinessProbe: { httpGet: { port: 80 }, initialDelaySeconds: 5 } },
    { name: "bad", image: "i" },
  ];
  const run = start(podOf({ containers, activeDeadlineSeconds: 60 }, { annotations }));
  const seen = (): unknown =>
    run.statuses.at(-1)?.containerStatuses?.map(({ ready, restartCount }) => `${ready} ${restartCount}`);
  await settle(100);
  expect(seen()).toEqual(["true 0", "false 0", "false 1"]);
  vi.setSystemTime(Date.now() + step);
  run.worker.wake();
  await settle(4000);
  expect(seen()).toEqual(["true 0", "false 0", "false 1"]);
  await settle(1000);
  expect(seen()).toEqual(["true 0", "true 0", "false 1"]);
  await settle(6000);
  expect(seen()).toEqual(["true 0", "true 0", "false 2"]);
  expect(run.statuses.at(-1)?.phase).toBe("Running");
  await settle(49_000);
  expect(run.statuses.at(-1)?.reason).toBe("DeadlineExceeded");
  await run.worker.remove();
});
