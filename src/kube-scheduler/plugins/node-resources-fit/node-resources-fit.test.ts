import { expect, test } from "vitest";
import type { PodSpec } from "#api/generated/core/v1.ts";
import { requesting, scoresOf, testCluster, testNode, testNodeInfo, testPod, verdictOf } from "../../framework/test-objects.ts";
import { nodeResourcesFit } from "./node-resources-fit.ts";

const plugin = nodeResourcesFit({ ...testCluster([]), nominatedNodeOf: () => undefined });
const node = testNodeInfo(testNode("a", { allocatable: { "nvidia.com/gpu": "2", "hugepages-2Mi": "4Mi" } }), [
  testPod("other", { containers: [requesting({ cpu: "1", "nvidia.com/gpu": "1" })] }),
]);
const sidecar = { restartPolicy: "Always" } as const;
const HELPLESS = "UnschedulableAndUnresolvable";

test.each<{ name: string; spec: Partial<PodSpec>; want: string[] }>([
  { name: "nothing", spec: {}, want: ["Success"] },
  { name: "exactly what is left", spec: { containers: [requesting({ cpu: "3" })] }, want: ["Success"] },
  {
    name: "more than is left",
    spec: { containers: [requesting({ cpu: "3001m" })] },
    want: ["Unschedulable", "Insufficient cpu"],
  },
  { name: "more than there is", spec: { containers: [requesting({ cpu: "4001m" })] }, want: [HELPLESS, "Insufficient cpu"] },
  {
    name: "several things short",
    spec: { containers: [requesting({ cpu: "5", memory: "9Gi", "ephemeral-storage": "101Gi" })] },
    want: [HELPLESS, "Insufficient cpu", "Insufficient memory", "Insufficient ephemeral-storage"],
  },
  { name: "an extended resource", spec: { containers: [requesting({ "nvidia.com/gpu": "1" })] }, want: ["Success"] },
  {
    name: "an extended resource in use",
    spec: { containers: [requesting({ "nvidia.com/gpu": "2" })] },
    want: ["Unschedulable", "Insufficient nvidia.com/gpu"],
  },
  { name: "an unknown resource", spec: { containers: [requesting({ "x.io/y": "1" })] }, want: [HELPLESS, "Insufficient x.io/y"] },
  {
    name: "huge pages",
    spec: { containers: [requesting({ "hugepages-2Mi": "6Mi" })] },
    want: [HELPLESS, "Insufficient hugepages-2Mi"],
  },
  {
    name: "containers add up",
    spec: { containers: [requesting({ cpu: "2" }), requesting({ cpu: "1001m" })] },
    want: ["Unschedulable", "Insufficient cpu"],
  },
  {
    name: "init containers run one by one",
    spec: { containers: [requesting({ cpu: "1" })], initContainers: [requesting({ cpu: "3" }), requesting({ cpu: "3" })] },
    want: ["Success"],
  },
  {
    name: "a sidecar stays beside what follows it",
    spec: {
      containers: [requesting({ cpu: "1" })],
      initContainers: [requesting({ cpu: "1" }, sidecar), requesting({ cpu: "2001m" })],
    },
    want: ["Unschedulable", "Insufficient cpu"],
  },
  {
    name: "a sidecar is not beside what came before it",
    spec: {
      containers: [requesting({ cpu: "2" })],
      initContainers: [requesting({ cpu: "3" }), requesting({ cpu: "1" }, sidecar)],
    },
    want: ["Success"],
  },
  {
    name: "pod-level requests win",
    spec: { containers: [requesting({ cpu: "1" })], resources: { requests: { cpu: "3001m" } } },
    want: ["Unschedulable", "Insufficient cpu"],
  },
  {
    name: "overhead counts",
    spec: { containers: [requesting({ cpu: "2" })], overhead: { cpu: "1001m" } },
    want: ["Unschedulable", "Insufficient cpu"],
  },
])("requesting $name", ({ spec, want }) => {
  expect(verdictOf(plugin, testPod("p", spec), node)).toEqual(want);
});

test("a node takes only so many pods", () => {
  const full = testNodeInfo(testNode("a", { allocatable: { pods: "1" } }), [testPod("other")]);
  expect(verdictOf(plugin, testPod("p"), full)).toEqual(["Unschedulable", "Too many pods"]);
});

test("nodes with more left are better, pods without requests counting with defaults", () => {
  const busy = testNodeInfo(testNode("busy"), [testPod("other", { containers: [requesting({ cpu: "2", memory: "4Gi" })] })]);
  const idle = testNodeInfo(testNode("idle"));
  const crowded = testNodeInfo(
    testNode("crowded"),
    ["x", "y", "z"].map((name) => testPod(name)),
  );
  const pod = testPod("p", { containers: [requesting({ cpu: "1", memory: "1Gi" })] });
  expect(scoresOf(plugin, pod, [busy, idle, crowded])).toEqual([31, 81, 73]);
});
