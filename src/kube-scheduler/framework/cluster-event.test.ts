import { expect, test } from "vitest";
import type { Node, Pod } from "#api/generated/core/v1.ts";
import { isScaledDown, nodeUpdateActions, unscheduledPodActions } from "./cluster-event.ts";
import { requesting, testNode, testPod } from "./test-objects.ts";

const node = testNode("n", { labels: { zone: "a" } });
const heartbeat: Node = { ...node, status: { ...node.status, conditions: [{ type: "Ready", status: "True" }] } };

test.each<[string, Node, readonly string[]]>([
  ["a heartbeat means nothing", heartbeat, []],
  ["more room", testNode("n", { labels: { zone: "a" }, allocatable: { cpu: "8" } }), ["updateAllocatable"]],
  ["other labels", testNode("n"), ["updateLabel"]],
  ["a taint", testNode("n", { labels: { zone: "a" }, spec: { taints: [{ key: "k", effect: "NoSchedule" }] } }), ["updateTaint"]],
  ["a cordon", testNode("n", { labels: { zone: "a" }, spec: { unschedulable: true } }), ["updateTaint"]],
])("update of a node: %s", (_name, next, want) => {
  expect(nodeUpdateActions(node, next)).toEqual(want);
});

const pod = testPod("p", { containers: [requesting({ cpu: "2", "example.com/gpu": "2" })], schedulingGates: [{ name: "g" }] });
const changed = (spec: Partial<Pod["spec"]>, metadata: Partial<Pod["metadata"]> = {}): Pod => ({
  ...pod,
  metadata: { ...pod.metadata, ...metadata },
  spec: { ...pod.spec, ...spec },
});

test.each<[string, Pod, readonly string[]]>([
  ["nothing", changed({}), []],
  ["its status", { ...pod, status: { phase: "Pending", conditions: [{ type: "PodScheduled", status: "False" }] } }, []],
  ["labels", changed({}, { labels: { a: "b" } }), ["updateLabel"]],
  ["a toleration", changed({ tolerations: [{ operator: "Exists" }] }), ["updateToleration"]],
  ["the last gate is gone", changed({ schedulingGates: [] }), ["updateGates"]],
  ["one of two gates", changed({ schedulingGates: [{ name: "g" }, { name: "h" }] }), []],
  ["less CPU", changed({ containers: [requesting({ cpu: "1", "example.com/gpu": "2" })] }), ["scaleDown"]],
  ["fewer devices", changed({ containers: [requesting({ cpu: "2", "example.com/gpu": "1" })] }), ["scaleDown"]],
  ["more CPU", changed({ containers: [requesting({ cpu: "3", "example.com/gpu": "2" })] }), []],
])("update of a waiting pod: %s", (_name, next, want) => {
  expect(unscheduledPodActions(pod, next)).toEqual(want);
});

const resized = (cpu: string): Pod => ({
  ...testPod("p", { nodeName: "n", containers: [requesting({ cpu: "1" })] }),
  status: {
    containerStatuses: [{ name: "c", ready: true, restartCount: 0, image: "i", imageID: "i", allocatedResources: { cpu } }],
  },
});

test("a pod takes less when its resize is done, though its spec said so before", () => {
  const [before, after] = [resized("2"), resized("1")];
  const done = { ...after, spec: before.spec };
  expect([isScaledDown(before, done), isScaledDown(done, before)]).toEqual([true, false]);
});
