import { expect, test } from "vitest";
import type { Node, Pod } from "#api/generated/core/v1.ts";
import type { ClusterEvent } from "../../framework/cluster-event.ts";
import { hintOf, requesting, testCluster, testNode, testNodeInfo, testPod } from "../../framework/test-objects.ts";
import { nodeResourcesFit } from "./node-resources-fit.ts";

const asking = (cpu: string, spec: Partial<Pod["spec"]> = {}, name = "p"): Pod =>
  testPod(name, { containers: [requesting({ cpu })], ...spec });
/** Two of its four CPUs are taken, by a pod of priority 10. */
const half = testNodeInfo(testNode("half"), [asking("2", { priority: 10, nodeName: "half" }, "there")]);
const gone = (nodeName: string | undefined): ClusterEvent => ({
  resource: "AssignedPod",
  action: "delete",
  pod: asking("1", {}, "q"),
  nodeName,
});
const shrunk = (from: Record<string, string>, to: Record<string, string>): ClusterEvent => ({
  resource: "AssignedPod",
  action: "scaleDown",
  pod: testPod("q", { containers: [requesting(to)], nodeName: "half" }),
  old: testPod("q", { containers: [requesting(from)], nodeName: "half" }),
  nodeName: "half",
});
const nominated: Pod = { ...asking("3"), status: { nominatedNodeName: "half" } };

test.each<[string, Pod, ClusterEvent, string]>([
  ["one goes where there is room now", asking("2"), gone("half"), "Queue"],
  ["one goes where there is still too little", asking("3"), gone("half"), "Skip"],
  ["one goes from a node that is not there any more", asking("1"), gone("other"), "Skip"],
  ["one goes, nobody knows where", asking("3"), gone(undefined), "Queue"],
  ["others could make way for it", asking("3", { priority: 11 }), gone("half"), "Queue"],
  ["they could, but it makes nobody go", asking("3", { priority: 11, preemptionPolicy: "Never" }), gone("half"), "Skip"],
  ["those that are there are as important", asking("3", { priority: 10 }), gone("half"), "Skip"],
  ["others make way for it already", nominated, gone("half"), "Queue"],
  ["one takes less of what it wants", asking("2"), shrunk({ cpu: "2" }, { cpu: "1" }), "Queue"],
  ["one takes less of something else", asking("2"), shrunk({ memory: "2Gi" }, { memory: "1Gi" }), "Skip"],
  ["one takes less, but there is still too little", asking("3"), shrunk({ cpu: "2" }, { cpu: "1" }), "Skip"],
  ["it wants less itself", asking("1"), { resource: "UnscheduledPod", action: "scaleDown", pod: asking("1") }, "Queue"],
  ["a pod comes", asking("1"), { resource: "AssignedPod", action: "add", pod: asking("1", {}, "q") }, "not heard"],
])("worth another attempt: %s", (_name, waiting, event, want) => {
  const plugin = nodeResourcesFit({ ...testCluster([half]), nominatedNodeOf: () => undefined });
  expect(hintOf(plugin, waiting, event)).toBe(want);
});

test("a pod for which others make way is known before its status says so", () => {
  const plugin = nodeResourcesFit({ ...testCluster([half]), nominatedNodeOf: (uid) => (uid === "p" ? "half" : undefined) });
  expect([asking("3"), asking("3", {}, "r")].map((pod) => hintOf(plugin, pod, gone("half")))).toEqual(["Queue", "Skip"]);
});

const sized = (allocatable: Record<string, string>): Node => testNode("n", { allocatable });

test.each<[string, Record<string, string>, Record<string, string> | undefined, string]>([
  ["a node comes that is large enough", { cpu: "2" }, undefined, "Queue"],
  ["a node comes that is too small", { cpu: "1" }, undefined, "Skip"],
  ["a node comes that takes no pods", { pods: "0" }, undefined, "Skip"],
  ["a node grows", { cpu: "3" }, { cpu: "2" }, "Queue"],
  ["a node grows in what it does not ask for", { cpu: "2", memory: "9Gi" }, { cpu: "2" }, "Skip"],
  ["a node takes more pods", { cpu: "2", pods: "111" }, { cpu: "2" }, "Queue"],
  ["a node shrinks", { cpu: "2" }, { cpu: "3" }, "Skip"],
])("worth another attempt: %s", (_name, now, before, want) => {
  const plugin = nodeResourcesFit({ ...testCluster([]), nominatedNodeOf: () => undefined });
  const event: ClusterEvent =
    before === undefined
      ? { resource: "Node", action: "add", node: sized(now) }
      : { resource: "Node", action: "updateAllocatable", node: sized(now), old: sized(before) };
  expect(hintOf(plugin, asking("2"), event)).toBe(want);
});
