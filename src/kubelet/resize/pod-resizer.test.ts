import { expect, test } from "vitest";
import type { Pod, ResourceRequirements } from "#api/generated/core/v1.ts";
import type { ContainerStatus } from "#cri/container.ts";
import type { LinuxContainerResources } from "#cri/linux-config.ts";
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

function start(): {
  resizer: PodResizer;
  events: string[];
  updates: string[];
  set(more: { problem?: ResizeProblem | undefined; failure?: Error | undefined }): void;
} {
  const events: string[] = [];
  const updates: string[] = [];
  let problem: ResizeProblem | undefined;
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
  });
  const set = (more: { problem?: ResizeProblem | undefined; failure?: Error | undefined }): void => {
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
  expect(resizer.resourcesOf({ name: "c1" }, "1")).toEqual({ allocated: requests("2"), actual: requests("2") });
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
