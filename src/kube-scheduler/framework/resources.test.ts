import { expect, test } from "vitest";
import type { Pod, PodSpec } from "#api/generated/core/v1.ts";
import { accumulate, nonZeroRequests, noResources, podResources } from "./resources.ts";
import { requesting, testPod } from "./test-objects.ts";

const MIB = 1024 * 1024;
const init = (cpu: string, more: object = {}) => ({ ...requesting({ cpu }, { name: "i" }), ...more });

test.each<[string, Partial<PodSpec>, number]>([
  ["containers add up", { containers: [requesting({ cpu: "1" }), requesting({ cpu: "500m" })] }, 1500],
  [
    "init containers count when they need more",
    { initContainers: [init("3"), init("2")], containers: [requesting({ cpu: "1" })] },
    3000,
  ],
  [
    "sidecars run beside both",
    { initContainers: [init("1", { restartPolicy: "Always" }), init("3")], containers: [requesting({ cpu: "1" })] },
    4000,
  ],
  ["overhead comes on top", { overhead: { cpu: "250m" }, containers: [requesting({ cpu: "1" })] }, 1250],
  ["requests of the pod as a whole win", { resources: { requests: { cpu: "5" } }, containers: [requesting({ cpu: "1" })] }, 5000],
])("CPU of a pod: %s", (_name, spec, want) => {
  expect(podResources(testPod("p", spec), { placed: false }).milliCpu).toBe(want);
});

test("a placed pod counts with what it still holds", () => {
  const pod: Pod = {
    ...testPod("p", { containers: [requesting({ cpu: "1" })] }),
    status: {
      containerStatuses: [{ name: "c", image: "i", imageID: "", ready: true, restartCount: 0, allocatedResources: { cpu: "2" } }],
    },
  };
  expect([podResources(pod, { placed: true }).milliCpu, podResources(pod, { placed: false }).milliCpu]).toEqual([2000, 1000]);
});

test.each<[string, Partial<PodSpec>, number, number]>([
  ["nothing asked for", { containers: [{ name: "c", image: "i" }] }, 100, 200 * MIB],
  ["each container for itself", { containers: [requesting({ cpu: "1" }), { name: "d", image: "i" }] }, 1100, 400 * MIB],
  ["all asked for", { containers: [requesting({ cpu: "1", memory: "1Mi" })] }, 1000, MIB],
  ["a pod as a whole", { resources: { requests: { cpu: "2" } }, containers: [{ name: "c", image: "i" }] }, 2000, 200 * MIB],
])("for scoring: %s", (_name, spec, milliCpu, memoryBytes) => {
  const pod = testPod("p", spec);
  const wanted = nonZeroRequests(pod, podResources(pod, { placed: false }));
  expect([wanted.milliCpu, wanted.memoryBytes]).toEqual([milliCpu, memoryBytes]);
});

test("what is added can be taken away again", () => {
  const total = noResources();
  const pod = podResources(testPod("p", { containers: [requesting({ cpu: "1", "example.com/gpu": "2" })] }), { placed: false });
  accumulate(total, pod, 1);
  accumulate(total, pod, 1);
  expect([total.milliCpu, total.scalars.get("example.com/gpu")]).toEqual([2000, 4]);
  accumulate(total, pod, -1);
  accumulate(total, pod, -1);
  expect([total.milliCpu, total.scalars.get("example.com/gpu")]).toEqual([0, 0]);
});
