import { expect, test } from "vitest";
import type { Affinity, Pod, PodAffinityTerm } from "#api/generated/core/v1.ts";
import type { ClusterEvent } from "../../framework/cluster-event.ts";
import { CycleState } from "../../framework/cycle-state.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import { podInfo } from "../../framework/pod-info.ts";
import { hintOf, scoresOf, testCluster, testNode, testNodeInfo, testPod, verdictOf } from "../../framework/test-objects.ts";
import { interPodAffinity } from "./inter-pod-affinity.ts";

const term = (app: string, topologyKey = "zone", more: Partial<PodAffinityTerm> = {}): PodAffinityTerm => ({
  labelSelector: { matchLabels: { app } },
  topologyKey,
  ...more,
});
const near = (...terms: PodAffinityTerm[]): Affinity => ({
  podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms },
});
const away = (...terms: PodAffinityTerm[]): Affinity => ({
  podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms },
});
const pod = (name: string, app: string, affinity?: Affinity, namespace = "ns"): Pod =>
  testPod(name, { ...(affinity === undefined ? {} : { affinity }) }, { namespace, labels: { app } });

/** Nodes a1 and a2 in zone a, b1 in zone b, bare without a zone. */
function clusterOf(placed: Record<string, readonly Pod[]>): NodeInfo[] {
  return ["a1", "a2", "b1", "bare"].map((name) => {
    const labels: Record<string, string> = name === "bare" ? {} : { zone: name.slice(0, 1) };
    return testNodeInfo(testNode(name, { labels }), placed[name]);
  });
}

const AFFINITY = "UnschedulableAndUnresolvable: node(s) didn't match pod affinity rules";
const ANTI_AFFINITY = "Unschedulable: node(s) didn't match pod anti-affinity rules";
const EXISTING = "Unschedulable: node(s) didn't satisfy existing pods anti-affinity rules";

interface Case {
  readonly name: string;
  readonly pod: Pod;
  readonly placed?: Record<string, readonly Pod[]>;
  /** By node; nodes that are not named take the pod. */
  readonly want: Record<string, string>;
}

const cases: readonly Case[] = [
  { name: "a pod that says nothing goes anywhere", pod: pod("p", "x"), placed: { a1: [pod("q", "db")] }, want: {} },
  {
    name: "near another pod: the whole topology will do",
    pod: pod("p", "x", near(term("db"))),
    placed: { a1: [pod("q", "db")] },
    want: { b1: AFFINITY, bare: AFFINITY },
  },
  {
    name: "near a pod of another namespace does not count",
    pod: pod("p", "x", near(term("db"))),
    placed: { a1: [pod("q", "db", undefined, "other")] },
    want: { a1: AFFINITY, a2: AFFINITY, b1: AFFINITY, bare: AFFINITY },
  },
  {
    name: "unless the namespace is named",
    pod: pod("p", "x", near(term("db", "zone", { namespaces: ["other"] }))),
    placed: { a1: [pod("q", "db", undefined, "other")] },
    want: { b1: AFFINITY, bare: AFFINITY },
  },
  {
    name: "or its labels are selected",
    pod: pod("p", "x", near(term("db", "zone", { namespaceSelector: { matchLabels: { team: "red" } } }))),
    placed: { a1: [pod("q", "db", undefined, "red")], b1: [pod("r", "db", undefined, "blue")] },
    want: { b1: AFFINITY, bare: AFFINITY },
  },
  {
    name: "all terms have to hold of one pod",
    pod: pod("p", "x", near(term("db"), term("cache"))),
    placed: { a1: [pod("q", "db"), pod("r", "cache")] },
    want: { a1: AFFINITY, a2: AFFINITY, b1: AFFINITY, bare: AFFINITY },
  },
  { name: "the first of pods that want to be together", pod: pod("p", "x", near(term("x"))), want: { bare: AFFINITY } },
  {
    name: "the second goes where the first is",
    pod: pod("p", "x", near(term("x"))),
    placed: { b1: [pod("q", "x")] },
    want: { a1: AFFINITY, a2: AFFINITY, bare: AFFINITY },
  },
  {
    name: "away from another pod; where there is no topology nothing is near",
    pod: pod("p", "x", away(term("db"))),
    placed: { a1: [pod("q", "db")] },
    want: { a1: ANTI_AFFINITY, a2: ANTI_AFFINITY },
  },
  {
    name: "a pod that wants others away",
    pod: pod("p", "x"),
    placed: { a1: [pod("q", "db", away(term("x", "kubernetes.io/hostname")))] },
    want: { a1: EXISTING },
  },
  {
    name: "but not those of another namespace",
    pod: pod("p", "x"),
    placed: { a1: [pod("q", "db", away(term("x")), "other")] },
    want: {},
  },
];

const namespaceLabels = (namespace: string): Record<string, string> => ({ team: namespace });

test.each(cases)("$name", ({ pod: incoming, placed = {}, want }) => {
  const nodes = clusterOf(placed);
  const plugin = interPodAffinity(testCluster(nodes, { namespaceLabels }));
  const verdicts = nodes.map((node) => [node.name, verdictOf(plugin, incoming, node).join(": ")] as const);
  // A plugin that skips is not asked.
  const refused = verdicts.filter(([, verdict]) => verdict !== "Success" && verdict !== "Skip");
  expect(Object.fromEntries(refused)).toEqual(want);
});

test("what is tried out on a node counts, and so does what is put back", () => {
  const [victim, other] = [pod("q", "db"), pod("r", "db")];
  const nodes = clusterOf({ a1: [victim], b1: [other] });
  const plugin = interPodAffinity(testCluster(nodes));
  const state = new CycleState();
  const incoming = podInfo(pod("p", "x", away(term("db", "kubernetes.io/hostname"))));
  plugin.preFilter(state, incoming);
  const codes = (): string[] => nodes.slice(0, 3).map((node) => plugin.filter(state, incoming, node).code);
  expect(codes()).toEqual(["Unschedulable", "Success", "Unschedulable"]);
  nodes[0]?.removePod("q");
  expect(codes()).toEqual(["Success", "Success", "Unschedulable"]);
  nodes[0]?.addPod(podInfo(pod("s", "web", away(term("x", "kubernetes.io/hostname")))));
  expect(codes()).toEqual(["Unschedulable", "Success", "Unschedulable"]);
  nodes[0]?.removePod("s");
  nodes[0]?.addPod(podInfo(victim));
  expect(codes()).toEqual(["Unschedulable", "Success", "Unschedulable"]);
});

const preferring = (kind: "podAffinity" | "podAntiAffinity", weight: number, of: PodAffinityTerm): Affinity => ({
  [kind]: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight, podAffinityTerm: of }] },
});

test.each<{ name: string; pod: Pod; placed: Record<string, readonly Pod[]>; want: number[] | "Skip" }>([
  { name: "nobody prefers anything", pod: pod("p", "x"), placed: { a1: [pod("q", "db")] }, want: "Skip" },
  {
    name: "the pod prefers to be near",
    pod: pod("p", "x", preferring("podAffinity", 5, term("db"))),
    placed: { a1: [pod("q", "db")] },
    want: [100, 100, 0, 0],
  },
  {
    name: "the pod prefers to be away",
    pod: pod("p", "x", preferring("podAntiAffinity", 5, term("db", "kubernetes.io/hostname"))),
    placed: { a1: [pod("q", "db"), pod("r", "db")], b1: [pod("s", "db")] },
    want: [0, 100, 50, 100],
  },
  {
    name: "pods that are there prefer it near, or away",
    pod: pod("p", "x"),
    placed: {
      a1: [pod("q", "db", preferring("podAffinity", 3, term("x", "kubernetes.io/hostname")))],
      b1: [pod("r", "db", preferring("podAntiAffinity", 3, term("x", "kubernetes.io/hostname")))],
    },
    want: [100, 50, 0, 50],
  },
  {
    name: "pods that are there need pods like it near",
    pod: pod("p", "x"),
    placed: { b1: [pod("q", "x", near(term("x")))] },
    want: [0, 0, 100, 0],
  },
])("score: $name", ({ pod: incoming, placed, want }) => {
  const nodes = clusterOf(placed);
  expect(scoresOf(interPodAffinity(testCluster(nodes)), incoming, nodes)).toEqual(want);
});

const ofPod = (action: "add" | "delete" | "updateLabel", changed: Pod, old?: Pod): ClusterEvent => ({
  resource: "AssignedPod",
  action,
  pod: changed,
  ...(old === undefined ? {} : { old }),
});
const ofNode = (labels: Record<string, string>): ClusterEvent => ({
  resource: "Node",
  action: "add",
  node: testNode("new", { labels }),
});

test.each<[string, Pod, ClusterEvent, string]>([
  ["a pod that it wants to be near comes", pod("p", "x", near(term("db"))), ofPod("add", pod("q", "db")), "Queue"],
  ["another pod comes", pod("p", "x", near(term("db"))), ofPod("add", pod("q", "web")), "Skip"],
  ["a pod comes that not all terms mean", pod("p", "x", near(term("db"), term("web"))), ofPod("add", pod("q", "db")), "Skip"],
  ["one that it keeps away from comes", pod("p", "x", away(term("db"))), ofPod("add", pod("q", "db")), "Skip"],
  ["one that it keeps away from goes", pod("p", "x", away(term("db"))), ofPod("delete", pod("q", "db")), "Queue"],
  ["another one goes", pod("p", "x", away(term("db"))), ofPod("delete", pod("q", "web")), "Skip"],
  ["a pod that kept it away goes", pod("p", "x"), ofPod("delete", pod("q", "web", away(term("x")))), "Queue"],
  ["the last that it wants to be near goes", pod("p", "x", near(term("x"))), ofPod("delete", pod("q", "x")), "Queue"],
  ["one becomes what it wants", pod("p", "x", near(term("db"))), ofPod("updateLabel", pod("q", "db"), pod("q", "x")), "Queue"],
  ["one is that still", pod("p", "x", near(term("db"))), ofPod("updateLabel", pod("q", "db"), pod("q", "db")), "Skip"],
  [
    "one is no longer what keeps it away",
    pod("p", "x", away(term("db"))),
    ofPod("updateLabel", pod("q", "x"), pod("q", "db")),
    "Queue",
  ],
  ["a node in such a topology comes", pod("p", "x", near(term("db"))), ofNode({ zone: "c" }), "Queue"],
  ["a node in none comes", pod("p", "x", near(term("db"))), ofNode({}), "Skip"],
  ["a node comes where nobody keeps it away", pod("p", "x", away(term("db"))), ofNode({}), "Queue"],
])("worth another attempt: %s", (_name, waiting, event, want) => {
  expect(hintOf(interPodAffinity(testCluster([])), waiting, event)).toBe(want);
});
