import { expect, test } from "vitest";
import type { ReplicaSet } from "#api/generated/apps/v1.ts";
import type { Node, Pod, Service, TopologySpreadConstraint } from "#api/generated/core/v1.ts";
import type { ClusterEvent } from "../../framework/cluster-event.ts";
import { CycleState } from "../../framework/cycle-state.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import { podInfo } from "../../framework/pod-info.ts";
import { hintOf, scoresOf, testCluster, testNode, testNodeInfo, testPod, verdictOf } from "../../framework/test-objects.ts";
import { podTopologySpread } from "./pod-topology-spread.ts";

const HOSTNAME = "kubernetes.io/hostname";
const over = (topologyKey: string, more: Partial<TopologySpreadConstraint> = {}): TopologySpreadConstraint => ({
  maxSkew: 1,
  topologyKey,
  whenUnsatisfiable: "DoNotSchedule",
  labelSelector: { matchLabels: { app: "x" } },
  ...more,
});
const softly = (topologyKey: string, more: Partial<TopologySpreadConstraint> = {}): TopologySpreadConstraint =>
  over(topologyKey, { whenUnsatisfiable: "ScheduleAnyway", ...more });
const incoming = (constraints: TopologySpreadConstraint[], spec: Partial<Pod["spec"]> = {}, labels = {}): Pod =>
  testPod("p", { topologySpreadConstraints: constraints, ...spec }, { labels: { app: "x", ...labels } });
let last = 0;
const pods = (count: number, metadata: Partial<Pod["metadata"]> = {}): Pod[] =>
  Array.from({ length: count }, () => testPod(`q${last++}`, {}, { labels: { app: "x" }, ...metadata }));

/** Nodes a1 and a2 in zone a, b1 in zone b (tainted), bare without a zone. */
function clusterOf(placed: Record<string, readonly Pod[]>): NodeInfo[] {
  return ["a1", "a2", "b1", "bare"].map((name) => {
    const zone = name.slice(0, 1);
    const labels: Record<string, string> = name === "bare" ? {} : { zone, "topology.kubernetes.io/zone": zone };
    const spec = name === "b1" ? { taints: [{ key: "k", effect: "NoSchedule" }] } : {};
    return testNodeInfo(testNode(name, { labels, spec }), placed[name]);
  });
}

const SKEWED = "Unschedulable: node(s) didn't match pod topology spread constraints";
const NO_LABEL = "UnschedulableAndUnresolvable: node(s) didn't match pod topology spread constraints (missing required label)";

interface Case {
  readonly name: string;
  readonly pod: Pod;
  readonly placed?: Record<string, readonly Pod[]>;
  /** By node; nodes that are not named take the pod. */
  readonly want: Record<string, string>;
}

const cases: readonly Case[] = [
  { name: "without constraints it goes anywhere", pod: incoming([]), placed: { a1: pods(5) }, want: {} },
  { name: "evenly spread", pod: incoming([over("zone")]), placed: { a1: pods(1), b1: pods(1) }, want: { bare: NO_LABEL } },
  {
    name: "the fuller topology is out, with all of its nodes",
    pod: incoming([over("zone")]),
    placed: { a1: pods(1) },
    want: { a1: SKEWED, a2: SKEWED, bare: NO_LABEL },
  },
  {
    name: "a greater skew may be allowed",
    pod: incoming([over("zone", { maxSkew: 2 })]),
    placed: { a1: pods(1) },
    want: { bare: NO_LABEL },
  },
  {
    name: "pods of other namespaces and those that leave do not count",
    pod: incoming([over("zone")]),
    placed: { a1: [...pods(3, { namespace: "other" }), ...pods(3, { deletionTimestamp: "2030-01-01T00:00:00Z" })] },
    want: { bare: NO_LABEL },
  },
  {
    name: "a pod that its own constraint does not mean adds nothing",
    pod: incoming([over("zone", { labelSelector: { matchLabels: { app: "other" } } })]),
    placed: { a1: pods(5) },
    want: { bare: NO_LABEL },
  },
  {
    name: "with too few topologies all count from nothing",
    pod: incoming([over("zone", { minDomains: 3 })]),
    placed: { a1: pods(1), b1: pods(1) },
    want: { a1: SKEWED, a2: SKEWED, b1: SKEWED, bare: NO_LABEL },
  },
  {
    name: "nodes that the pod's affinity excludes do not count",
    pod: incoming([over("zone")], { nodeSelector: { zone: "a" } }),
    placed: { a1: pods(2) },
    want: { bare: NO_LABEL },
  },
  {
    name: "unless they are to",
    pod: incoming([over("zone", { nodeAffinityPolicy: "Ignore" })], { nodeSelector: { zone: "a" } }),
    placed: { a1: pods(2) },
    want: { a1: SKEWED, a2: SKEWED, bare: NO_LABEL },
  },
  {
    name: "nodes with taints that the pod does not tolerate can be left out",
    pod: incoming([over("zone", { nodeTaintsPolicy: "Honor" })]),
    placed: { a1: pods(2) },
    want: { bare: NO_LABEL },
  },
  {
    name: "only pods of the same revision",
    pod: incoming([over("zone", { matchLabelKeys: ["rev"] })], {}, { rev: "2" }),
    placed: { a1: pods(2, { labels: { app: "x", rev: "1" } }), b1: pods(1, { labels: { app: "x", rev: "2" } }) },
    want: { b1: SKEWED, bare: NO_LABEL },
  },
  {
    name: "two constraints hold at once; nodes that lack a topology count for neither",
    pod: incoming([over("zone", { maxSkew: 5 }), over(HOSTNAME)]),
    placed: { a1: pods(1) },
    want: { a1: SKEWED, bare: NO_LABEL },
  },
];

test.each(cases)("$name", ({ pod, placed = {}, want }) => {
  const nodes = clusterOf(placed);
  const plugin = podTopologySpread(testCluster(nodes));
  const verdicts = nodes.map((node) => [node.name, verdictOf(plugin, pod, node).join(": ")] as const);
  // A plugin that skips is not asked.
  const refused = verdicts.filter(([, verdict]) => verdict !== "Success" && verdict !== "Skip");
  expect(Object.fromEntries(refused)).toEqual(want);
});

test("what is tried out on a node counts", () => {
  const victims = pods(2);
  const nodes = clusterOf({ a1: victims, a2: pods(1), b1: pods(1) });
  const plugin = podTopologySpread(testCluster(nodes));
  const state = new CycleState();
  const info = podInfo(incoming([over("zone")]));
  plugin.preFilter(state, info);
  const code = (): string => plugin.filter(state, info, nodes[0] as NodeInfo).code;
  expect(code()).toBe("Unschedulable");
  nodes[0]?.removePod(victims[0]?.metadata.uid ?? "");
  expect(code()).toBe("Unschedulable");
  nodes[0]?.removePod(victims[1]?.metadata.uid ?? "");
  expect(code()).toBe("Success");
  for (const victim of victims) nodes[0]?.addPod(podInfo(victim));
  expect(code()).toBe("Unschedulable");
});

const ownerReferences = [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: "rs", uid: "u", controller: true }];
const replicaSet = { metadata: { name: "rs" }, spec: { selector: { matchLabels: { app: "x" } } } } as ReplicaSet;
const service = { metadata: { name: "s" }, spec: { selector: { app: "x" } } } as Service;

test.each<{ name: string; pod: Pod; services?: Service[]; placed: Record<string, readonly Pod[]>; want: number[] | "Skip" }>([
  { name: "nothing belongs together", pod: testPod("p", {}, { labels: { app: "x" } }), placed: { a1: pods(2) }, want: "Skip" },
  {
    name: "pods of one ReplicaSet are kept apart by host, and by zone where there are zones",
    pod: testPod("p", {}, { labels: { app: "x" }, ownerReferences }),
    placed: { a1: pods(4), a2: pods(2) },
    want: [8, 26, 82, 100],
  },
  {
    name: "pods of one service too",
    pod: testPod("p", {}, { labels: { app: "x" } }),
    services: [service],
    placed: { a1: pods(4) },
    want: [10, 50, 80, 100],
  },
  {
    name: "by zone, where that is wished; a node without a zone gets nothing",
    pod: incoming([softly("zone")]),
    placed: { a1: pods(2), a2: pods(1), b1: pods(1) },
    want: [25, 25, 100, 0],
  },
])("score: $name", ({ pod, services = [], placed, want }) => {
  const nodes = clusterOf(placed);
  const cluster = testCluster(nodes, { servicesOf: () => services, replicaSet: () => replicaSet });
  expect(scoresOf(podTopologySpread(cluster), pod, nodes)).toEqual(want);
});

const placedPod = (app: string, more: Partial<Pod["metadata"]> = {}): Pod =>
  testPod("q", { nodeName: "a1" }, { labels: { app }, ...more });
const ofPod = (action: "add" | "delete" | "updateLabel", changed: Pod, old?: Pod): ClusterEvent => ({
  resource: "AssignedPod",
  action,
  pod: changed,
  ...(old === undefined ? {} : { old }),
});
const ofNode = (action: "add" | "delete" | "updateLabel" | "updateTaint", node: Node, old?: Node): ClusterEvent => ({
  resource: "Node",
  action,
  node,
  ...(old === undefined ? {} : { old }),
});
const inZone = (zone: string, spec: Node["spec"] = {}): Node => testNode("n", { labels: { zone }, spec });
const leaving = { deletionTimestamp: "2030-01-01T00:00:00Z" };

test.each<[string, ClusterEvent, string]>([
  ["a pod that counts comes", ofPod("add", placedPod("x")), "Queue"],
  ["another pod comes", ofPod("add", placedPod("y")), "Skip"],
  ["one of another namespace comes", ofPod("add", placedPod("x", { namespace: "other" })), "Skip"],
  ["a pod that counts goes, shown as leaving", ofPod("delete", placedPod("x", leaving)), "Queue"],
  ["another pod goes", ofPod("delete", placedPod("y")), "Skip"],
  ["one that counts begins to leave", ofPod("updateLabel", placedPod("x", leaving), placedPod("x")), "Queue"],
  ["one begins to count", ofPod("updateLabel", placedPod("x"), placedPod("y")), "Queue"],
  ["one counts as before", ofPod("updateLabel", placedPod("x", { name: "r" }), placedPod("x")), "Skip"],
  ["a node in a zone comes", ofNode("add", inZone("c")), "Queue"],
  ["a node without one comes", ofNode("add", testNode("n")), "Skip"],
  ["a node in a zone goes", ofNode("delete", inZone("c")), "Queue"],
  ["a node moves", ofNode("updateLabel", inZone("c"), inZone("d")), "Queue"],
  ["a node leaves its zone", ofNode("updateLabel", testNode("n"), inZone("d")), "Queue"],
  ["a node stays in its zone", ofNode("updateLabel", testNode("n", { labels: { zone: "c", a: "b" } }), inZone("c")), "Skip"],
  [
    "taints of a node in a zone",
    ofNode("updateTaint", inZone("c"), inZone("c", { taints: [{ key: "k", effect: "NoSchedule" }] })),
    "Queue",
  ],
  [
    "taints of a node without one",
    ofNode("updateTaint", testNode("n", { spec: { unschedulable: true } }), testNode("n")),
    "Skip",
  ],
  ["it tolerates more", { resource: "UnscheduledPod", action: "updateToleration", pod: incoming([over("zone")]) }, "Skip"],
  ["its own labels", { resource: "UnscheduledPod", action: "updateLabel", pod: incoming([over("zone")]) }, "Queue"],
])("worth another attempt: %s", (_name, event, want) => {
  expect(hintOf(podTopologySpread(testCluster([])), incoming([over("zone")]), event)).toBe(want);
});

test("what a pod tolerates matters where taints say which nodes count", () => {
  const pod = incoming([over("zone", { nodeTaintsPolicy: "Honor" })]);
  const event = { resource: "UnscheduledPod", action: "updateToleration", pod } as const;
  expect(hintOf(podTopologySpread(testCluster([])), pod, event)).toBe("Queue");
});
