import { expect, test } from "vitest";
import type { Node, Pod, PodSpec } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { SchedulerCache } from "./cache/scheduler-cache.ts";
import { fitErrorMessage } from "./framework/fit-error.ts";
import { Framework } from "./framework/framework.ts";
import { podInfo } from "./framework/pod-info.ts";
import { messageOf, SUCCESS } from "./framework/status.ts";
import { requesting, testCluster, testNode, testPod } from "./framework/test-objects.ts";
import { defaultPlugins } from "./plugins/registry.ts";
import { Nominator } from "./queue/nominator.ts";
import { feasibleNodesWanted, PodPlacer } from "./schedule-pod.ts";

/** Where the default profile puts the pod, or what it tells the user. */
function place(nodes: readonly Node[], placed: readonly Pod[], spec: Partial<PodSpec>): string {
  const cache = new SchedulerCache();
  for (const node of nodes) cache.setNode(node);
  for (const pod of placed) cache.setPod(pod);
  const nominator = new Nominator();
  const framework: Framework = new Framework(
    defaultPlugins({
      client: {} as Client,
      clock: realClock,
      cluster: testCluster(cache.nodeList),
      preemption: {
        random: seededRandom(1),
        nodes: () => cache.nodes,
        budgetsOf: () => [],
        nominatedNodeOf: () => undefined,
        filter: (state, pod, node) => placer.filter(state, pod, node)?.status ?? SUCCESS,
        evict: () => undefined,
      },
    }),
  );
  const random = seededRandom(1);
  const placer: PodPlacer = new PodPlacer({ framework, cache, nominator, random, percentageOfNodesToScore: 0 });
  const pod = podInfo(testPod("p", spec));
  const result = placer.schedule(pod);
  if (result.outcome === "fits") return result.nodeName;
  if (result.outcome === "no nodes") return "no nodes";
  const { status, nominatedNodeName } = framework.runPostFilter(result.state, pod, result.diagnosis);
  result.diagnosis.postFilterMessage = messageOf(status);
  return nominatedNodeName ? `nominated ${nominatedNodeName}` : fitErrorMessage(result.diagnosis);
}

const tainted = (name: string) => testNode(name, { spec: { taints: [{ key: "k", effect: "NoSchedule" }] } });
const busy = (node: string, cpu: string, priority = 0) =>
  testPod(`on-${node}`, { nodeName: node, priority, containers: [requesting({ cpu, memory: "1Gi" })] });
const cpu = (amount: string): Partial<PodSpec> => ({ containers: [requesting({ cpu: amount })] });
const named = (...values: string[]): Partial<PodSpec> => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values }] }],
      },
    },
  },
});

test.each([
  { name: "no nodes", nodes: [], placed: [], spec: {}, want: "no nodes" },
  { name: "the emptier node", nodes: ["a", "b"].map((n) => testNode(n)), placed: [busy("a", "3")], spec: cpu("100m"), want: "b" },
  {
    name: "too large for every node",
    nodes: [testNode("a"), tainted("b")],
    placed: [],
    spec: cpu("5"),
    want: "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
  },
  {
    name: "no room and nobody less important",
    nodes: [testNode("a"), tainted("b")],
    placed: [busy("a", "3")],
    spec: cpu("2"),
    want: "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.",
  },
  {
    name: "a named node that does not exist",
    nodes: [testNode("a"), testNode("b")],
    placed: [],
    spec: named("c"),
    want: "0/2 nodes are available: 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
  },
  { name: "a named node", nodes: [testNode("a"), testNode("b")], placed: [], spec: named("b"), want: "b" },
  {
    name: "a less important pod in the way",
    nodes: [testNode("a")],
    placed: [busy("a", "3")],
    spec: { ...cpu("2"), priority: 5 },
    want: "nominated a",
  },
  {
    name: "a pod that must not preempt",
    nodes: [testNode("a")],
    placed: [busy("a", "3")],
    spec: { ...cpu("2"), priority: 5, preemptionPolicy: "Never" },
    want: "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.",
  },
])("$name", ({ nodes, placed, spec, want }) => {
  expect(place(nodes, placed, spec)).toBe(want);
});

test.each([
  [10, 0, 10],
  [99, 0, 99],
  [1000, 0, 420],
  [5000, 0, 500],
  [6000, 0, 300],
  [1000, 5, 100],
  [1000, 70, 700],
])("of %i nodes at %i percent %i fitting ones are enough", (nodes, percentage, want) => {
  expect(feasibleNodesWanted(nodes, percentage)).toBe(want);
});
