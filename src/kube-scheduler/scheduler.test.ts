import { afterEach, beforeEach, expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { seededRandom } from "#base/random.ts";
import { FakeApi } from "./fake-api.ts";
import { requesting, testNode, testPod } from "./framework/test-objects.ts";
import { type RunningScheduler, schedulerHealthz, startScheduler } from "./scheduler.ts";

let api: FakeApi;
let scheduler: RunningScheduler;
let controller: AbortController;
beforeEach(async () => {
  api = new FakeApi();
  controller = new AbortController();
  scheduler = await startScheduler({
    client: api.client,
    clock: api.clock,
    random: seededRandom(1),
    signal: controller.signal,
    identity: "host",
    leaderElect: false,
  });
  await scheduler.ready;
  // The watches begin a turn after the lists.
  await new Promise(setImmediate);
});
afterEach(() => scheduler.stop());

const pod = (name: string): Pod | undefined => api.get<Pod>("pods", "ns", name);
const nodeOf = (name: string): string | undefined => pod(name)?.spec.nodeName;
const told = (): string[] => api.events.map(({ type, reason, action, note }) => `${type} ${reason} ${action}: ${note}`);

test("a pod is bound and an event says so", async () => {
  api.put("nodes", testNode("a"));
  api.put("pods", testPod("p"));
  api.put("pods", testPod("other", { schedulerName: "other" }));
  await expect.poll(() => nodeOf("p")).toBe("a");
  await expect.poll(told).toEqual(["Normal Scheduled Binding: Successfully assigned ns/p to a"]);
  expect(nodeOf("other")).toBeUndefined();
});

test("without nodes a pod waits, says why, and takes the first that comes", async () => {
  api.put("pods", testPod("p", {}, { generation: 3 }));
  const text = "no nodes available to schedule pods";
  await expect.poll(told).toEqual([`Warning FailedScheduling Scheduling: ${text}`]);
  const condition = { type: "PodScheduled", status: "False", reason: "Unschedulable", message: text, observedGeneration: 3 };
  await expect.poll(() => pod("p")?.status?.conditions).toMatchObject([condition]);
  api.put("nodes", testNode("a"));
  await expect.poll(() => nodeOf("p")).toBe("a");
});

test("pods that together want too much are bound one after the other, as room is made", async () => {
  api.put("nodes", testNode("a"));
  for (const name of ["x", "y"]) api.put("pods", testPod(name, { containers: [requesting({ cpu: "3" })] }));
  await expect.poll(() => told().length).toBe(2);
  expect([nodeOf("x"), nodeOf("y")]).toEqual(["a", undefined]);
  expect(pod("y")?.status?.conditions?.[0]?.message).toBe(
    "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  );
  api.remove("pods", "ns", "x");
  await expect.poll(() => nodeOf("y")).toBe("a");
});

test("a failed binding gives the place back, is told, and is tried again", async () => {
  api.bindFailures.push(new Error("the server is out"));
  api.put("nodes", testNode("a"));
  api.put("pods", testPod("p"));
  await expect.poll(() => pod("p")?.status?.conditions?.[0]?.reason).toBe("SchedulerError");
  expect(told()).toEqual(['Warning FailedScheduling Scheduling: running Bind plugin "DefaultBinder": the server is out']);
  await expect.poll(() => nodeOf("p"), { timeout: 3000 }).toBe("a");
});

test("a pod that the scheduler meets a mistake of its own with is told of it, and does not keep others from their places", async () => {
  api.put("nodes", testNode("a"));
  // No API server lets this pass.
  const spread = {
    maxSkew: 1,
    topologyKey: "zone",
    whenUnsatisfiable: "DoNotSchedule",
    labelSelector: { matchExpressions: [null] },
  };
  api.put("pods", testPod("odd", { topologySpreadConstraints: [spread as never] }));
  api.put("pods", testPod("p"));
  await expect.poll(() => nodeOf("p")).toBe("a");
  expect(pod("odd")?.status?.conditions?.[0]).toMatchObject({
    reason: "SchedulerError",
    message: expect.stringMatching(/^TypeError: /),
  });
  expect(schedulerHealthz(scheduler)).toBe(true);
});

test("a more important pod takes the place of another", async () => {
  api.put("nodes", testNode("a"));
  api.put("pods", testPod("low", { priority: 1, containers: [requesting({ cpu: "3" })] }));
  await expect.poll(() => nodeOf("low")).toBe("a");
  api.put("pods", testPod("high", { priority: 2, containers: [requesting({ cpu: "3" })] }));
  await expect.poll(() => nodeOf("high")).toBe("a");
  expect(pod("low")).toBeUndefined();
  await expect.poll(told).toContain("Normal Preempted Preempting: Preempted by pod high on node a");
});

test("a thousand pods find their places on a thousand nodes", { timeout: 60_000 }, async () => {
  for (let i = 0; i < 1000; i++) api.put("nodes", testNode(`n${i}`));
  for (let i = 0; i < 1000; i++) api.put("pods", testPod(`p${i}`, { containers: [requesting({ cpu: "100m" })] }));
  // How long it takes is for the guards of ratios to judge.
  const places = (): number =>
    Array.from({ length: 1000 }, (_, i) => nodeOf(`p${i}`)).filter((node) => node !== undefined).length;
  await expect.poll(places, { timeout: 60_000, interval: 200 }).toBe(1000);
});

test("pods are bound on a machine that stands still again and again", async () => {
  await scheduler.stop();
  let elapsed = 0;
  // Each time that somebody looks, a tenth of a second has passed.
  const clock = { ...api.clock, elapsed: () => (elapsed += 100) };
  const random = seededRandom(1);
  const { signal } = controller;
  scheduler = await startScheduler({ client: api.client, clock, random, signal, identity: "host", leaderElect: false });
  await scheduler.ready;
  await new Promise(setImmediate);
  api.put("nodes", testNode("a"));
  for (let i = 0; i < 20; i++) api.put("pods", testPod(`p${i}`));
  await expect.poll(() => Array.from({ length: 20 }, (_, i) => nodeOf(`p${i}`)).every((node) => node === "a")).toBe(true);
});

test("it is healthy until it is stopped", async () => {
  expect(schedulerHealthz(scheduler)).toBe(true);
  await scheduler.stop();
  expect(schedulerHealthz(scheduler)).toBe(false);
});
