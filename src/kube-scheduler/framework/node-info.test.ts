import { expect, test } from "vitest";
import { seededRandom } from "#base/random.ts";
import { podInfo } from "./pod-info.ts";
import { testNode, testNodeInfo, testPod } from "./test-objects.ts";

test("the lowest priority is that of the least important pod, however pods come and go", () => {
  const random = seededRandom(3);
  const node = testNodeInfo(testNode("n"));
  expect(node.lowestPriority).toBe(Number.POSITIVE_INFINITY);
  for (let i = 0; i < 500; i++) {
    const pod = podInfo(testPod(`p${Math.floor(random.float() * 12)}`, { priority: Math.floor(random.float() * 4) }));
    if (random.float() < 0.5) node.addPod(pod);
    else node.removePod(pod.uid);
    // Not asked each time: what is known is kept up to date, and what is not stays so.
    if (random.float() < 0.7)
      expect(node.lowestPriority).toBe(Math.min(...[...node.pods.values()].map(({ priority }) => priority)));
  }
});
