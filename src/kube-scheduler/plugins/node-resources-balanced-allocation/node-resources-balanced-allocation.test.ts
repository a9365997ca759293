import { expect, test } from "vitest";
import { requesting, scoresOf, testNode, testNodeInfo, testPod } from "../../framework/test-objects.ts";
import { nodeResourcesBalancedAllocation } from "./node-resources-balanced-allocation.ts";

test.each([
  { name: "the same share of both", requests: { cpu: "2", memory: "4Gi" }, want: [100] },
  { name: "only CPU", requests: { cpu: "2" }, want: [75] },
  { name: "all of one", requests: { cpu: "8" }, want: [50] },
  { name: "nothing", requests: {}, want: "Skip" },
])("a pod that requests $name", ({ requests, want }) => {
  const pod = testPod("p", { containers: [requesting(requests as Record<string, string>)] });
  expect(scoresOf(nodeResourcesBalancedAllocation(), pod, [testNodeInfo(testNode("a"))])).toEqual(want);
});
