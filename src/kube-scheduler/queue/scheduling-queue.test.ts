import { beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { Framework } from "../framework/framework.ts";
import { requesting, testCluster, testNode, testNodeInfo, testPod } from "../framework/test-objects.ts";
import { nodeResourcesFit } from "../plugins/node-resources-fit/node-resources-fit.ts";
import { prioritySort } from "../plugins/priority-sort/priority-sort.ts";
import { schedulingGates } from "../plugins/scheduling-gates/scheduling-gates.ts";
import { taintToleration } from "../plugins/taint-toleration/taint-toleration.ts";
import { type QueuedPod, SchedulingQueue } from "./scheduling-queue.ts";

const room = { ...testCluster([testNodeInfo(testNode("a"))]), nominatedNodeOf: () => undefined };

describe("the scheduling queue", () => {
  let clock: ManualClock;
  let queue: SchedulingQueue;
  let ready = 0;
  beforeEach(() => {
    clock = new ManualClock(1_000_000);
    ready = 0;
    const framework = new Framework([schedulingGates(), prioritySort(), taintToleration(), nodeResourcesFit(room)]);
    queue = new SchedulingQueue({
      framework,
      clock,
      onReady: () => {
        ready += 1;
      },
    });
  });
  const popName = (): string | undefined => queue.pop()?.info.uid;
  const pop = (): QueuedPod => {
    const queued = queue.pop();
    if (queued === undefined) throw new Error("nothing in the queue");
    return queued;
  };
  const FIT = new Set(["NodeResourcesFit"]);

  test("higher priority comes first, then who came first", () => {
    queue.add(testPod("a"));
    clock.advance(1);
    queue.add(testPod("b"));
    queue.add(testPod("high", { priority: 5 }));
    expect([popName(), popName(), popName(), popName()]).toEqual(["high", "a", "b", undefined]);
    expect(ready).toBe(3);
  });

  test("a gated pod waits for its gates to go", () => {
    const gated = testPod("p", { schedulingGates: [{ name: "g" }] });
    queue.add(gated);
    queue.move({ resource: "Node", action: "add", node: testNode("a") });
    expect(queue.pop()).toBeUndefined();
    expect(queue.pending).toMatchObject({ gated: 1, unschedulable: 0 });
    queue.update(gated, testPod("p"));
    expect(popName()).toBe("p");
  });

  test.each([
    { name: "a large enough node", event: { resource: "Node", action: "add", node: testNode("a") }, want: "p" },
    {
      name: "a node that is too small",
      event: { resource: "Node", action: "add", node: testNode("a", { allocatable: { cpu: "1" } }) },
      want: undefined,
    },
    { name: "a changed label", event: { resource: "Node", action: "updateLabel", node: testNode("a") }, want: undefined },
    {
      name: "a pod that goes from a node that has room",
      event: { resource: "AssignedPod", action: "delete", pod: testPod("x"), nodeName: "a" },
      want: "p",
    },
    {
      name: "a pod that goes from one that has none",
      event: { resource: "AssignedPod", action: "delete", pod: testPod("x"), nodeName: "b" },
      want: undefined,
    },
  ] as const)("of a pod that found no room, $name is noticed or not", ({ event, want }) => {
    queue.add(testPod("p", { containers: [requesting({ cpu: "2" })] }));
    queue.addUnschedulable(pop(), FIT);
    queue.move(event);
    expect(popName()).toBe(want);
  });

  test("backoff doubles up to its bound; an early turn is for those that did not fail", () => {
    const delays: number[] = [];
    queue.add(testPod("p"));
    for (let attempt = 0; attempt < 6; attempt++) {
      const queued = pop();
      const start = clock.now();
      queue.addFailed(queued);
      expect(queue.pop()).toBeUndefined();
      while (queue.pending.active === 0) clock.advance(100);
      delays.push(clock.now() - start);
    }
    expect(delays).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000]);
    queue.addUnschedulable(pop(), FIT);
    queue.move({ resource: "AssignedPod", action: "delete", pod: testPod("x") });
    expect(queue.pending.backoff).toBe(1);
    expect(popName()).toBe("p");
  });

  test("the pod's own change brings it back when its rejector cares", () => {
    const before = testPod("p", { containers: [requesting({ cpu: "9" })] });
    queue.add(before);
    queue.addUnschedulable(pop(), FIT);
    queue.update(before, { ...before, status: { phase: "Pending", conditions: [] } });
    expect(queue.pop()).toBeUndefined();
    queue.update(before, testPod("p", { containers: [requesting({ cpu: "1" })] }));
    expect(pop().info.requests.milliCpu).toBe(1000);
  });

  test("room that was kept for a pod is for those that had to leave it, and not for that pod itself", () => {
    for (const [name, priority] of [
      ["low", 1],
      ["same", 5],
      ["high", 9],
      ["x", 5],
    ] as const) {
      queue.add(testPod(name, { priority }));
      queue.addUnschedulable(pop(), FIT);
    }
    queue.move({ resource: "AssignedPod", action: "delete", pod: testPod("x"), nodeName: "a" }, 5);
    expect([popName(), popName(), popName()].sort()).toEqual(["low", "same", undefined]);
  });

  test("nobody waits forever for an event", () => {
    queue.add(testPod("p"));
    queue.addUnschedulable(pop(), FIT);
    clock.advance(299_000);
    expect(queue.pop()).toBeUndefined();
    clock.advance(40_000);
    expect(popName()).toBe("p");
  });

  test("a deleted pod is nowhere", () => {
    queue.add(testPod("a"));
    queue.delete("a");
    queue.add(testPod("b"));
    queue.addUnschedulable(pop(), FIT);
    queue.delete("b");
    expect(queue.pending).toEqual({ active: 0, backoff: 0, unschedulable: 0, gated: 0 });
  });
});
