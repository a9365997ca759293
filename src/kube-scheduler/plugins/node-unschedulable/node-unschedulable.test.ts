import { expect, test } from "vitest";
import { testNode, testNodeInfo, testPod, verdictOf } from "../../framework/test-objects.ts";
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
