import { expect, test } from "vitest";
import { podInfo } from "../framework/pod-info.ts";
import { requesting, testNode, testPod } from "../framework/test-objects.ts";
import { SchedulerCache } from "./scheduler-cache.ts";

const pod = testPod("p", { containers: [requesting({ cpu: "1" })] });
const bound = (nodeName: string) => testPod("p", { nodeName, containers: [requesting({ cpu: "1" })] });

test("an assumed pod counts at once, once when confirmed, and not at all when forgotten", () => {
  const cache = new SchedulerCache();
  cache.setNode(testNode("a"));
  cache.assume(podInfo(pod), "a");
  expect(cache.isAssumed("p")).toBe(true);
  expect(cache.node("a")?.requested.milliCpu).toBe(1000);
  cache.setPod(bound("a"));
  expect(cache.isAssumed("p")).toBe(false);
  expect(cache.node("a")?.requested.milliCpu).toBe(1000);
  cache.forget("p");
  expect(cache.node("a")?.pods.size).toBe(1);
  cache.removePod("p");
  cache.assume(podInfo(pod), "a");
  cache.forget("p");
  expect(cache.node("a")?.requested.milliCpu).toBe(0);
});

test("a pod that turns up on another node than assumed counts there", () => {
  const cache = new SchedulerCache();
  cache.setNode(testNode("a"));
  cache.setNode(testNode("b"));
  cache.assume(podInfo(pod), "a");
  cache.setPod(bound("b"));
  expect([cache.node("a")?.pods.size, cache.node("b")?.pods.size]).toEqual([0, 1]);
});

test("pods may come before their node and stay after it", () => {
  const cache = new SchedulerCache();
  cache.setPod(bound("a"));
  expect(cache.nodes).toEqual([]);
  cache.setNode(testNode("a"));
  expect(cache.node("a")?.pods.size).toBe(1);
  cache.removeNode("a");
  expect(cache.node("a")).toBeUndefined();
  cache.setNode(testNode("a"));
  expect(cache.node("a")?.pods.size).toBe(1);
});

test("the lowest priority is that of pods on nodes, while they are there", () => {
  const cache = new SchedulerCache();
  const lowest: number[] = [cache.lowestPriority];
  for (const [name, priority] of [
    ["a", 5],
    ["b", 3],
    ["c", 3],
  ] as const) {
    cache.setPod(testPod(name, { nodeName: "n", priority }));
    lowest.push(cache.lowestPriority);
  }
  for (const name of ["b", "c", "a"]) {
    cache.removePod(name);
    lowest.push(cache.lowestPriority);
  }
  expect(lowest).toEqual([Number.POSITIVE_INFINITY, 5, 3, 3, 3, 5, Number.POSITIVE_INFINITY]);
});
