import { beforeEach, expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { SchedulerCache } from "./cache/scheduler-cache.ts";
import { nodeHandler, podHandler } from "./event-handlers.ts";
import { podInfo } from "./framework/pod-info.ts";
import { requesting, testNode, testPod } from "./framework/test-objects.ts";
import { Nominator } from "./queue/nominator.ts";
import type { SchedulingQueue } from "./queue/scheduling-queue.ts";

let log: string[];
let cache: SchedulerCache;
let nominator: Nominator;
let pods: ReturnType<typeof podHandler>;
let nodes: ReturnType<typeof nodeHandler>;
beforeEach(() => {
  log = [];
  cache = new SchedulerCache();
  nominator = new Nominator();
  const queue = {
    add: (pod: Pod) => void log.push(`add ${pod.metadata.name}`),
    update: (_old: Pod, pod: Pod) => void log.push(`update ${pod.metadata.name}`),
    delete: (uid: string) => void log.push(`drop ${uid}`),
    move: ({ resource, action }: { resource: string; action: string }) => void log.push(`${resource} ${action}`),
  } as unknown as SchedulingQueue;
  const targets = { cache, queue, nominator, schedulerName: "default-scheduler" };
  pods = podHandler(targets);
  nodes = nodeHandler(targets);
});

const waiting = testPod("p");
const assigned = testPod("p", { nodeName: "n", containers: [requesting({ cpu: "1" })] });
const nominated: Pod = { ...waiting, status: { nominatedNodeName: "n" } };

test("a pod that waits is queued, one on a node is counted there, one of another scheduler is neither", () => {
  pods.onAdd?.(waiting, false);
  pods.onAdd?.(testPod("other", { schedulerName: "other" }), false);
  expect(log).toEqual(["add p"]);
  pods.onUpdate?.(waiting, assigned);
  expect(log.slice(1)).toEqual(["drop p", "AssignedPod add"]);
  nodes.onAdd?.(testNode("n"), false);
  expect(cache.node("n")?.requested.milliCpu).toBe(1000);
});

test("a pod whose binding is on the way is not queued again", () => {
  cache.assume(podInfo(waiting), "n");
  pods.onUpdate?.(waiting, { ...waiting, status: { phase: "Pending" } });
  expect(log).toEqual([]);
});

test("a nomination is known while the pod waits, and forgotten when it has its place", () => {
  pods.onAdd?.(nominated, false);
  expect(nominator.nodeOf("p")).toBe("n");
  pods.onUpdate?.(nominated, assigned);
  expect(nominator.nodeOf("p")).toBeUndefined();
});

test.each<[string, Pod, Pod, readonly string[]]>([
  ["its status", assigned, { ...assigned, status: { phase: "Running" } }, []],
  ["its labels", assigned, { ...assigned, metadata: { ...assigned.metadata, labels: { a: "b" } } }, ["AssignedPod updateLabel"]],
  [
    "it asks for less",
    assigned,
    testPod("p", { nodeName: "n", containers: [requesting({ cpu: "500m" })] }),
    ["AssignedPod scaleDown"],
  ],
  [
    "it begins to leave",
    assigned,
    { ...assigned, metadata: { ...assigned.metadata, deletionTimestamp: "2030-01-01T00:00:00Z" } },
    ["AssignedPod updateLabel"],
  ],
])("what a change of a pod on a node means to others: %s", (_name, old, next, want) => {
  pods.onUpdate?.(old, next);
  expect(log.slice(1)).toEqual(want);
});

test("a pod that is gone gives its place back, be it that its binding was still on the way", () => {
  pods.onAdd?.(assigned, false);
  log = [];
  pods.onDelete?.(assigned);
  expect(log).toEqual(["drop p", "AssignedPod delete"]);
  cache.assume(podInfo(waiting), "n");
  log = [];
  pods.onDelete?.(waiting);
  expect([log, cache.isAssumed("p")]).toEqual([["drop p", "AssignedPod delete"], false]);
});

test("a pod that is not to come to a node any more gives its room back, changed or gone", () => {
  pods.onAdd?.(nominated, false);
  log = [];
  pods.onUpdate?.(nominated, { ...nominated, metadata: { ...nominated.metadata, labels: { a: "b" } } });
  expect(log).toEqual(["update p"]);
  pods.onUpdate?.(nominated, waiting);
  pods.onDelete?.(nominated);
  pods.onDelete?.(waiting);
  expect(log.slice(1)).toEqual(["update p", "AssignedPod delete", "drop p", "AssignedPod delete", "drop p"]);
  log = [];
  pods.onUpdate?.(nominated, assigned);
  pods.onUpdate?.(nominated, testPod("p", { nodeName: "other" }));
  expect(log).toEqual(["drop p", "AssignedPod add", "drop p", "AssignedPod add", "AssignedPod delete"]);
});

test("nodes come, change and go", () => {
  const node = testNode("n");
  nodes.onAdd?.(node, false);
  nodes.onUpdate?.(node, testNode("n", { spec: { unschedulable: true } }));
  nodes.onUpdate?.(node, node);
  nodes.onDelete?.(node);
  expect(log).toEqual(["Node add", "Node updateTaint", "Node delete"]);
  expect(cache.nodes).toEqual([]);
});
