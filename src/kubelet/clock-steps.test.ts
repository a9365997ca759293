import { expect, test } from "vitest";
import type { Container, Pod } from "#api/generated/core/v1.ts";
import { parseQuantity } from "#apimachinery/resource/quantity.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { seededRandom } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { EventCorrelator } from "#client/event-correlator.ts";
import type { ImageService } from "#cri/image-service.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import type { RuntimeStatus } from "#cri/runtime-status.ts";
import { withDefaults } from "./configuration/defaults.ts";
import { PressureState } from "./eviction/pressure-state.ts";
import { parseThresholds } from "./eviction/thresholds.ts";
import { ContainerProber } from "./handlers/container-prober.ts";
import type { ActionTarget } from "./handlers/handlers.ts";
import { PullManager } from "./images/pull-manager.ts";
import { ClientSources } from "./inside/sources.ts";
import { Pleg } from "./pleg/pleg.ts";
import { PodEnd } from "./pod-end.ts";
import { RuntimeHealth } from "./runtime-health.ts";
import { CpuRates } from "./stats/cpu-rates.ts";
import { SyncLoop } from "./sync-loop.ts";
import { ServiceAccountTokens } from "./volumes/service-account-tokens.ts";

const HOUR = 3_600_000;
/** Somebody sets the machine's clock back by an hour, or ahead by one. */
const STEPS = [-HOUR, HOUR] as const;
const settle = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};
const pod = { metadata: { uid: "u", name: "p", namespace: "n" }, spec: { containers: [] } } as unknown as Pod;

test.each(STEPS)("a loop waits as long as it was told (%i ms)", async (step) => {
  const clock = new ManualClock(10 * HOUR);
  let looks = 0;
  const sync = async (): Promise<number | undefined> => {
    looks++;
    clock.step(step);
    return clock.elapsed() + 5000;
  };
  const loop = new SyncLoop({ clock, sync, onError: () => {}, resyncMs: () => undefined });
  loop.resume();
  await settle();
  clock.advance(4999);
  await settle();
  expect(looks).toBe(1);
  clock.advance(1);
  await settle();
  expect(looks).toBe(2);
  loop.close();
});

test.each(STEPS)("a pull that failed is held back for ten seconds (%i ms)", async (step) => {
  const clock = new ManualClock(10 * HOUR);
  let pulls = 0;
  const images = {
    imageStatus: async () => undefined,
    pullImage: async () => {
      pulls++;
      throw new Error("no");
    },
  } as unknown as ImageService;
  const recorder = { event: () => {}, flush: async () => {} };
  const queue = { serialize: false, parallelMax: undefined, perSecond: 0, burst: 0 };
  const manager = new PullManager({ images, recorder, clock, secret: async () => undefined, ...queue });
  const ask = (): Promise<unknown> => manager.ensureImage(pod, { name: "c", image: "i:1" } as Container);
  await ask();
  clock.step(step);
  clock.advance(9999);
  expect(await ask()).toMatchObject({ reason: "ImagePullBackOff", retryAtMs: clock.elapsed() + 1 });
  clock.advance(1);
  expect(await ask()).toMatchObject({ reason: "ErrImagePull" });
  expect(pulls).toBe(2);
});

test.each(STEPS)("a runtime that answers is well, and one that does not is not (%i ms)", async (step) => {
  const clock = new ManualClock(10 * HOUR);
  const conditions = ["RuntimeReady", "NetworkReady"].map((type) => ({ type, status: true, reason: "", message: "" }));
  let isAway = false;
  const away = async <T>(answer: T): Promise<T> => {
    if (isAway) throw new Error("away");
    return answer;
  };
  const runtime = {
    status: () => away({ conditions, handlers: [] } as unknown as RuntimeStatus),
    listPodSandbox: () => away([]),
    listContainers: () => away([]),
    getContainerEvents: () => () => {},
  } as unknown as RuntimeService;
  const pleg = new Pleg({ runtime, clock, onPod: () => {} });
  const health = new RuntimeHealth({ runtime, clock, pleg });
  await health.start();
  pleg.start();
  await settle();
  clock.step(step);
  expect(health.runtimeProblems()).toEqual([]);
  expect(health.isSyncing()).toBe(true);
  isAway = true;
  clock.advance(30_000);
  await settle();
  expect(health.runtimeProblems()).toEqual(["container runtime is down"]);
  clock.advance(200_000);
  expect(health.runtimeProblems()[1]).toMatch(/^PLEG is not healthy: pleg was last seen active \d+s ago; threshold is 3m0s$/);
  expect(health.isSyncing()).toBe(false);
  health.stop();
  pleg.stop();
});

test.each(STEPS)("probes go on in their period (%i ms)", async (step) => {
  const clock = new ManualClock(10 * HOUR);
  let looks = 0;
  const handlers = {
    canFail: () => true,
    run: async () => {
      looks++;
      clock.step(step);
      return { succeeded: true, message: "" };
    },
  };
  const container = { name: "c", readinessProbe: { periodSeconds: 2, initialDelaySeconds: 3 } };
  const target = { container, pod, containerId: "c", sandboxId: "s", ip: "" } as unknown as ActionTarget;
  const prober = new ContainerProber(target, clock.elapsed(), { handlers, clock, onChange: () => {}, onProblem: () => {} });
  const seen: number[] = [];
  for (const seconds of [2.9, 0.1, 1.9, 0.1, 2]) {
    clock.advance(seconds * 1000);
    await settle();
    seen.push(looks);
  }
  expect(seen).toEqual([0, 1, 1, 2, 3]);
  prober.stop();
});

test.each(STEPS)("a condition goes when its cause has been gone for so long (%i ms)", (step) => {
  const clock = new ManualClock(10 * HOUR);
  const thresholds = parseThresholds({
    ...withDefaults({}),
    evictionHard: { "memory.available": "100Mi" },
    enforceNodeAllocatable: [],
  });
  const state = new PressureState(thresholds, 60_000);
  const observe = (available: string): readonly string[] => {
    const observation = { available: parseQuantity(available), capacity: parseQuantity("1Gi") };
    state.observe(new Map([["memory.available", observation]]), clock.elapsed());
    return state.conditions;
  };
  expect(observe("1Mi")).toEqual(["MemoryPressure"]);
  clock.step(step);
  clock.advance(59_000);
  expect(observe("512Mi")).toEqual(["MemoryPressure"]);
  clock.advance(1000);
  expect(observe("512Mi")).toEqual([]);
});

test.each(STEPS)("what was read holds for a second (%i ms)", async (step) => {
  const clock = new ManualClock(10 * HOUR);
  let reads = 0;
  const client = { get: async () => ({ data: { n: String(reads++) } }) } as unknown as Client;
  const sources = new ClientSources({ client, clock });
  const read = async (): Promise<string | undefined> => (await sources.configMap("n", "c"))?.data?.n;
  expect(await read()).toBe("0");
  clock.step(step);
  clock.advance(999);
  expect(await read()).toBe("0");
  clock.advance(1);
  expect(await read()).toBe("1");
});

test("a token is asked for anew in time, also by a clock that was set back", async () => {
  const clock = new ManualClock(10 * HOUR);
  let asked = 0;
  const token = async (): Promise<{ token: string; refreshAtMs: number; expiresAtMs: number }> => {
    asked++;
    return { token: `t${asked}`, refreshAtMs: clock.now() + 0.8 * HOUR, expiresAtMs: clock.now() + HOUR };
  };
  const tokens = new ServiceAccountTokens({ token }, { clock, random: seededRandom(1) });
  expect(await tokens.get(pod, undefined, 3600)).toBe("t1");
  clock.step(-HOUR);
  clock.advance(0.7 * HOUR);
  expect(await tokens.get(pod, undefined, 3600)).toBe("t1");
  clock.advance(0.1 * HOUR);
  expect(await tokens.get(pod, undefined, 3600)).toBe("t2");
  // By the clock it has ended.
  clock.step(HOUR);
  expect(await tokens.get(pod, undefined, 3600)).toBe("t3");
});

test.each(STEPS)("a pod has the time until its deadline (%i ms)", (step) => {
  const clock = new ManualClock(10 * HOUR);
  const end = new PodEnd(clock.elapsed());
  clock.step(step);
  const deadlineMs = end.deadlineMs({ ...pod, spec: { ...pod.spec, activeDeadlineSeconds: 30 } });
  expect((deadlineMs ?? 0) - clock.elapsed()).toBe(30_000);
});

test("processor time is measured again from the next sample on", () => {
  const rates = new CpuRates();
  expect(rates.rate("c", 0, HOUR)).toBeUndefined();
  expect(rates.rate("c", 1000, HOUR + 1000)).toBe(1000);
  expect(rates.rate("c", 3000, 1000)).toBeUndefined();
  expect(rates.rate("c", 5000, 2000)).toBe(2000);
});

test("events are told", () => {
  const correlator = new EventCorrelator(() => "name");
  const reference = { kind: "Pod", apiVersion: "v1", name: "p", namespace: "n", uid: "u" };
  const tell = (nowMs: number): string =>
    correlator.correlate({ reference, type: "Normal", reason: "Some", message: "words" }, nowMs).type;
  expect(tell(2 * HOUR)).not.toBe("drop");
  expect(tell(HOUR)).not.toBe("drop");
});
