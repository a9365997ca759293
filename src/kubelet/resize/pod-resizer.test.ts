import { expect, test } from "vitest";
import type { Pod, ResourceRequirements } from "#api/generated/core/v1.ts";
import type { ContainerStatus } from "#cri/container.ts";
import type { LinuxContainerResources } from "#cri/linux-config.ts";
import { PodResourcesFile, type PodResourcesFiles, type PodResourcesRecord } from "../allocation/pod-resources-file.ts";
import type { ObservedPod } from "../observed-pod.ts";
import { PodEvents } from "../pod-events.ts";
import { PodResizer, type ResizeProblem } from "./pod-resizer.ts";

const requests = (cpu: string): ResourceRequirements => ({ requests: { cpu } });
function podOf(cpu: string, generation: number, restartPolicy?: string): Pod {
  const resizePolicy = restartPolicy === undefined ? {} : { resizePolicy: [{ resourceName: "cpu", restartPolicy }] };
  const containers = [{ name: "c1", image: "i", resources: requests(cpu), ...resizePolicy }];
  return { metadata: { name: "p", generation }, spec: { containers } } as unknown as Pod;
}
const status = { id: "1", metadata: { name: "c1", attempt: 0 }, state: "CONTAINER_RUNNING" } as ContainerStatus;
const observed: ObservedPod = { sandbox: undefined, containers: [status] };

function start(record?: PodResourcesRecord): {
  resizer: PodResizer;
  events: string[];
  updates: string[];
  set(more: { problem?: ResizeProblem | "later" | undefined; failure?: Error | undefined }): void;
} {
  const events: string[] = [];
  const updates: string[] = [];
  let problem: ResizeProblem | "later" | undefined;
  let failure: Error | undefined;
  const recorder = {
    event: (_target: unknown, type: string, reason: string, message: string) => void events.push(`${type} ${reason} ${message}`),
    flush: async () => {},
  };
  const resizer = new PodResizer({
    runtime: {
      updateContainerResources: async (id, { cpuShares }) => {
        if (failure !== undefined) throw failure;
        updates.push(`${id} ${cpuShares}`);
      },
    },
    cgroups: {
      ensurePodCgroup: async () => "",
      removePodCgroup: async () => {},
      containerResources: (_pod, { resources }): LinuxContainerResources => ({
        cpuShares: Number(resources?.requests?.cpu) * 1024,
      }),
    },
    events: new PodEvents(recorder),
    problemOf: () => problem,
    ...(record === undefined ? {} : { record, onUnrecorded: (_pod: Pod, error: unknown) => void events.push(String(error)) }),
  });
  const set = (more: { problem?: ResizeProblem | "later" | undefined; failure?: Error | undefined }): void => {
    problem = more.problem;
    failure = more.failure;
  };
  return { resizer, events, updates, set };
}

test("what the node can give is brought to the running container", async () => {
  const { resizer, events, updates } = start();
  await resizer.sync(podOf("1", 1), observed);
  expect(updates).toEqual([]);
  expect(await resizer.sync(podOf("2", 2), observed)).toEqual([]);
  expect(updates).toEqual(["1 2048"]);
  expect(resizer.conditions()).toEqual([]);
  expect(resizer.resourcesOf({ name: "c1" })).toEqual({ allocated: requests("2"), actual: requests("2") });
  const what = '{"containers":[{"name":"c1","resources":{"requests":{"cpu":"2"}}}],"generation":2}';
  expect(events).toEqual([
    `Normal ResizeStarted Pod resize started: ${what}`,
    `Normal ResizeCompleted Pod resize completed: ${what}`,
  ]);
});

test("what it cannot give waits, and the pod keeps what it has", async () => {
  const { resizer, events, updates, set } = start();
  await resizer.sync(podOf("1", 1), observed);
  const message = "Node didn't have enough capacity: cpu, requested: 9000, capacity: 8000";
  set({ problem: { reason: "Infeasible", message } });
  await resizer.sync(podOf("9", 2), observed);
  await resizer.sync(podOf("9", 2), observed);
  expect(resizer.conditions()).toEqual([
    { type: "PodResizePending", status: "True", reason: "Infeasible", message, observedGeneration: 2 },
  ]);
  expect(resizer.allocatedPod(podOf("9", 2)).spec.containers[0]?.resources).toEqual(requests("1"));
  expect(updates).toEqual([]);
  expect(events).toEqual([
    `Warning ResizeInfeasible Pod resize Infeasible: {"containers":[{"name":"c1","resources":{"requests":{"cpu":"9"}}}],"generation":2,"error":"${message}"}`,
  ]);
  set({});
  await resizer.sync(podOf("9", 2), observed);
  expect(updates).toEqual(["1 9216"]);
  expect(resizer.conditions()).toEqual([]);
});

test("a container whose policy says so starts anew", async () => {
  const { resizer, updates } = start();
  await resizer.sync(podOf("1", 1, "RestartContainer"), observed);
  const kills = await resizer.sync(podOf("2", 2, "RestartContainer"), observed);
  expect(kills).toEqual([{ id: "1", name: "c1", message: "Container c1 resize requires restart" }]);
  expect(resizer.conditions()).toEqual([{ type: "PodResizeInProgress", status: "True", observedGeneration: 2 }]);
  await resizer.starting(podOf("2", 2, "RestartContainer"), "c1");
  const next = { ...status, id: "2", metadata: { name: "c1", attempt: 1 } };
  expect(await resizer.sync(podOf("2", 2, "RestartContainer"), { ...observed, containers: [status, next] })).toEqual([]);
  expect([updates, resizer.conditions()]).toEqual([[], []]);
});

test("what the runtime refuses is told, and tried again", async () => {
  const { resizer, updates, set } = start();
  await resizer.sync(podOf("1", 1), observed);
  set({ failure: new Error("no") });
  await resizer.sync(podOf("2", 2), observed);
  expect(resizer.conditions()).toMatchObject([{ type: "PodResizeInProgress", reason: "Error", message: "no" }]);
  set({});
  await resizer.sync(podOf("2", 2), observed);
  expect([updates, resizer.conditions()]).toEqual([["1 2048"], []]);
});

/** Files that are in memory alone, and can be full. */
function memoryRecord(): { load(): Promise<PodResourcesRecord>; setFull(isFull: boolean): void } {
  const contents = new Map<string, string>();
  let isFull = false;
  const files = {
    readFile: async (path: string) => {
      const text = contents.get(path);
      if (text === undefined) throw Object.assign(new Error("none"), { code: "ENOENT" });
      return text;
    },
    open: async (path: string) => {
      if (isFull) throw new Error("full");
      return { writeFile: async (text: string) => void contents.set(path, text), sync: async () => {}, close: async () => {} };
    },
    rename: async (from: string, to: string) => void contents.set(to, contents.get(from) ?? ""),
  } as unknown as PodResourcesFiles;
  const load = async (): Promise<PodResourcesRecord> => ({
    allocated: await PodResourcesFile.load(files, "/allocated"),
    actuated: await PodResourcesFile.load(files, "/actuated"),
  });
  const setFull = (value: boolean): void => {
    isFull = value;
  };
  return { load, setFull };
}

const infeasible: ResizeProblem = { reason: "Infeasible", message: "too much" };
const withConditions = (pod: Pod, conditions: readonly object[]): Pod => ({ ...pod, status: { conditions } }) as unknown as Pod;

test("what was given and refused stands after a restart, and is not told twice", async () => {
  const record = memoryRecord();
  const before = start(await record.load());
  await before.resizer.sync(podOf("1", 1), observed);
  before.set({ problem: infeasible });
  await before.resizer.sync(podOf("9", 2), observed);

  const after = start(await record.load());
  const told = withConditions(podOf("9", 2), [
    { type: "Ready", status: "True" },
    ...before.resizer.conditions().map((one) => ({ ...one, lastTransitionTime: "2026-01-01T00:00:00Z" })),
  ]);
  after.set({ problem: "later" });
  await after.resizer.sync(told, observed);
  expect(after.resizer.conditions()).toEqual(before.resizer.conditions());
  expect(after.resizer.resourcesOf({ name: "c1" }).allocated).toEqual(requests("1"));
  expect([after.resizer.isUnfinished, after.updates, after.events]).toEqual([true, [], []]);
  after.set({ problem: infeasible });
  await after.resizer.sync(told, observed);
  expect([after.resizer.isUnfinished, after.events]).toEqual([false, []]);
  after.set({});
  await after.resizer.sync(podOf("9", 3), observed);
  expect([after.updates, after.resizer.conditions()]).toEqual([["1 9216"], []]);
});

test("what was begun before a restart is brought to an end after it", async () => {
  const record = memoryRecord();
  const before = start(await record.load());
  await before.resizer.sync(podOf("1", 1), observed);
  await before.resizer.starting(podOf("1", 1), "c1");
  before.set({ failure: new Error("away") });
  await before.resizer.sync(podOf("2", 2), observed);
  expect(before.resizer.resourcesOf({ name: "c1" })).toEqual({ allocated: requests("2"), actual: requests("1") });

  const after = start(await record.load());
  const told = withConditions(podOf("2", 2), before.resizer.conditions());
  after.resizer.admit(told, observed);
  expect(after.resizer.conditions()).toMatchObject([{ type: "PodResizeInProgress", reason: "Error", message: "away" }]);
  expect(after.resizer.resourcesOf({ name: "c1" })).toEqual({ allocated: requests("2"), actual: requests("1") });
  await after.resizer.sync(told, observed);
  expect([after.updates, after.resizer.conditions()]).toEqual([["1 2048"], []]);
  expect(after.events.map((event) => event.split(" ")[1])).toEqual(["ResizeCompleted"]);
});

test("nothing is given that could not be recorded, and it is tried again", async () => {
  const record = memoryRecord();
  const { resizer, events, updates } = start(await record.load());
  await resizer.sync(podOf("1", 1), observed);
  record.setFull(true);
  await resizer.sync(podOf("2", 2), observed);
  expect([updates, resizer.isUnfinished, events]).toEqual([[], true, ["Error: full"]]);
  record.setFull(false);
  await resizer.sync(podOf("2", 2), observed);
  expect([updates, resizer.isUnfinished]).toEqual([["1 2048"], false]);
});
