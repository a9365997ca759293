import { expect, test } from "vitest";
import { hintOf, testNode, testNodeInfo, testPod, verdictOf } from "../../framework/test-objects.ts";
import { nodeUnschedulable } from "./node-unschedulable.ts";

test.each([
  { name: "a node in use", unschedulable: false, tolerations: [], want: ["Success"] },
  {
    name: "a cordoned node",
    unschedulable: true,
    tolerations: [],
    want: ["UnschedulableAndUnresolvable", "node(s) were unschedulable"],
  },
  {
    name: "a cordoned node, tolerated",
    unschedulable: true,
    tolerations: [{ key: "node.kubernetes.io/unschedulable", operator: "Exists" }],
    want: ["Success"],
  },
  {
    name: "a cordoned node, everything tolerated",
    unschedulable: true,
    tolerations: [{ operator: "Exists" }],
    want: ["Success"],
  },
])("$name", ({ unschedulable, tolerations, want }) => {
  const node = testNodeInfo(testNode("a", { spec: { unschedulable } }));
  expect(verdictOf(nodeUnschedulable(), testPod("p", { tolerations }), node)).toEqual(want);
});

const node = (unschedulable: boolean) => testNode("a", { spec: { unschedulable } });

test.each([
  ["a node comes", node(false), undefined, "Queue"],
  ["a cordoned node comes", node(true), undefined, "Skip"],
  ["a node is in use again", node(false), node(true), "Queue"],
  ["a node in use gets a taint", node(false), node(false), "Skip"],
  ["a node is cordoned", node(true), node(false), "Skip"],
])("worth another attempt: %s", (_name, now, old, want) => {
  const event = old === undefined ? { action: "add" as const } : { action: "updateTaint" as const, old };
  expect(hintOf(nodeUnschedulable(), testPod("p"), { resource: "Node", node: now, ...event })).toBe(want);
});

test.each([
  ["cordons", "node.kubernetes.io/unschedulable", "Queue"],
  ["something else", "k", "Skip"],
])("a pod that tolerates %s now", (_name, key, want) => {
  const pod = testPod("p", { tolerations: [{ key, operator: "Exists" }] });
  expect(hintOf(nodeUnschedulable(), pod, { resource: "UnscheduledPod", action: "updateToleration", pod })).toBe(want);
});
