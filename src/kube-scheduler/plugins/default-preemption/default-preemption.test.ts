import { expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { seededRandom } from "#base/random.ts";
import { CycleState } from "../../framework/cycle-state.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import { podInfo } from "../../framework/pod-info.ts";
import { messageOf, type Status, SUCCESS, unresolvable, unschedulable } from "../../framework/status.ts";
import { requesting, testNode, testNodeInfo, testPod } from "../../framework/test-objects.ts";
import { candidatesWanted, defaultPreemption } from "./default-preemption.ts";

const running = (name: string, priority: number, more: Partial<Pod> = {}): Pod => ({
  ...testPod(name, { priority, nodeName: "n", containers: [requesting({ cpu: "3" })] }),
  ...more,
});
const leaving = (name: string): Pod => {
  const pod = running(name, 1);
  const condition = { type: "DisruptionTarget", status: "True", reason: "PreemptionByScheduler" };
  return {
    ...pod,
    metadata: { ...pod.metadata, deletionTimestamp: "2030-01-01T00:00:00Z" },
    status: { conditions: [condition] },
  };
};
const incoming = (spec: Partial<Pod["spec"]> = {}, nominatedNodeName?: string): Pod => ({
  ...testPod("p", { priority: 100, containers: [requesting({ cpu: "2" })], ...spec }),
  status: nominatedNodeName === undefined ? {} : { nominatedNodeName },
});

interface Case {
  readonly name: string;
  readonly pod?: Pod;
  readonly nodes: readonly NodeInfo[];
  /** Of each node, without preemption. */
  readonly verdict?: Status;
  readonly want: string;
}

const cases: readonly Case[] = [
  {
    name: "evicts what is in the way",
    nodes: [testNodeInfo(testNode("n"), [running("low", 1)])],
    want: "nominates n, evicts low",
  },
  {
    name: "only looks where evicting may help",
    nodes: [testNodeInfo(testNode("n"), [running("low", 1)])],
    verdict: unresolvable("no"),
    want: "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
  },
  {
    name: "spares the more important",
    nodes: [testNodeInfo(testNode("n"), [running("high", 200)])],
    want: "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  },
  {
    name: "does not touch anything for a pod that may not",
    pod: incoming({ preemptionPolicy: "Never" }),
    nodes: [testNodeInfo(testNode("n"), [running("low", 1)])],
    want: "preemption: not eligible due to preemptionPolicy=Never.",
  },
  {
    name: "waits for victims that are still leaving",
    pod: incoming({}, "n"),
    nodes: [testNodeInfo(testNode("n"), [leaving("low")])],
    want: "preemption: not eligible due to a terminating pod on the nominated node.",
  },
  {
    name: "looks anew when the nominated node has become impossible",
    pod: incoming({}, "n"),
    nodes: [testNodeInfo(testNode("n"), [leaving("low")])],
    verdict: unresolvable("tainted"),
    want: "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
  },
];

test.each(cases)("$name", ({ pod = incoming(), nodes, verdict = unschedulable("Insufficient cpu"), want }) => {
  const info = podInfo(pod);
  let evicted = "";
  const plugin = defaultPreemption({
    random: seededRandom(1),
    nodes: () => nodes,
    budgetsOf: () => [],
    nominatedNodeOf: () => undefined,
    filter: (_state, { requests }, { requested }) =>
      requests.milliCpu + requested.milliCpu <= 4000 ? SUCCESS : unschedulable("Insufficient cpu"),
    evict: (victims) => {
      evicted = victims.map(({ uid }) => uid).join(" ");
    },
  });
  const nodeStatuses = new Map(nodes.map(({ name }) => [name, verdict]));
  const { status, nominatedNodeName } = plugin.postFilter(new CycleState(), info, {
    nodeCount: nodes.length,
    nodeStatuses,
    rejectors: new Set(),
  });
  expect(evicted === "" ? messageOf(status) : `nominates ${nominatedNodeName}, evicts ${evicted}`).toBe(want);
});

test.each([
  [0, 0],
  [7, 7],
  [100, 100],
  [500, 100],
  [5_000, 500],
])("of %i nodes, %i that would do are enough", (nodes, want) => {
  expect(candidatesWanted(nodes)).toBe(want);
});

test.each([
  { name: "as many as are enough are tried out", budgets: 0, want: 100 },
  { name: "more, as long as each would break a budget", budgets: 1, want: 300 },
])("$name, whatever the number of nodes", ({ budgets, want }) => {
  const nodes = Array.from({ length: 300 }, (_, i) =>
    testNodeInfo(testNode(`n${i}`), [
      { ...running(`low-${i}`, 1), metadata: { name: `low-${i}`, namespace: "ns", uid: `low-${i}`, labels: { app: "a" } } },
    ]),
  );
  const tried = new Set<string>();
  const budget = { metadata: { namespace: "ns" }, spec: { selector: {} }, status: { disruptionsAllowed: 0 } };
  const plugin = defaultPreemption({
    random: seededRandom(1),
    nodes: () => nodes,
    budgetsOf: () => Array.from({ length: budgets }, () => budget as never),
    nominatedNodeOf: () => undefined,
    filter: (_state, { requests }, { name, requested }) => {
      tried.add(name);
      return requests.milliCpu + requested.milliCpu <= 4000 ? SUCCESS : unschedulable("Insufficient cpu");
    },
    evict: () => undefined,
  });
  const nodeStatuses = new Map(nodes.map(({ name }) => [name, unschedulable("Insufficient cpu")]));
  const diagnosis = { nodeCount: nodes.length, nodeStatuses, rejectors: new Set<string>() };
  const { status, nominatedNodeName = "" } = plugin.postFilter(new CycleState(), podInfo(incoming()), diagnosis);
  expect(status).toBe(SUCCESS);
  expect(tried.size).toBe(want);
  expect(tried).toContain(nominatedNodeName);
});
