import { expect, test } from "vitest";
import type { PodSpec } from "#api/generated/core/v1.ts";
import { type Random, seededRandom } from "#base/random.ts";
import { SchedulerCache } from "../cache/scheduler-cache.ts";
import type { ClusterLister } from "../framework/cluster-lister.ts";
import { CycleState } from "../framework/cycle-state.ts";
import type { Plugin } from "../framework/plugin.ts";
import { podInfo } from "../framework/pod-info.ts";
import { scoresOf, testCluster, testNode, testPod, verdictOf } from "../framework/test-objects.ts";
import { imageLocality } from "./image-locality/image-locality.ts";
import { interPodAffinity } from "./inter-pod-affinity/inter-pod-affinity.ts";
import { podTopologySpread } from "./pod-topology-spread/pod-topology-spread.ts";

const HOST = "kubernetes.io/hostname";
const KEYS = ["zone", HOST, "rack"];
const APPS = ["a", "b"];
const IMAGES = ["i:latest", "j:latest"];
const NAMESPACES = ["ns", "other"];

type Pick = <Item>(items: readonly Item[]) => Item;

const pickBy =
  (random: Random): Pick =>
  (items) =>
    items[random.int(items.length)] as (typeof items)[number];

/** Some terms, spread constraints, tolerations and node selectors, or nothing at all. */
function randomSpec(pick: Pick): Partial<PodSpec> {
  const term = (): object => ({
    topologyKey: pick(KEYS),
    ...pick([{ labelSelector: { matchLabels: { app: pick(APPS) } } }, { labelSelector: {} }, {}]),
    ...pick([{}, {}, { namespaces: ["other"] }, { namespaceSelector: { matchLabels: { team: "red" } } }]),
  });
  const terms = (): object => ({
    requiredDuringSchedulingIgnoredDuringExecution: pick([[], [term()], [term(), term()]]),
    preferredDuringSchedulingIgnoredDuringExecution: pick([[], [{ weight: pick([1, 5]), podAffinityTerm: term() }]]),
  });
  const constraint = (): object => ({
    topologyKey: pick(KEYS),
    maxSkew: pick([1, 2]),
    whenUnsatisfiable: pick(["DoNotSchedule", "ScheduleAnyway"]),
    labelSelector: pick([{ matchLabels: { app: pick(APPS) } }, {}, undefined]),
    ...pick([{}, { minDomains: 3 }]),
    nodeTaintsPolicy: pick(["Honor", "Ignore"]),
  });
  return {
    ...pick([{}, { affinity: { podAffinity: terms() } }, { affinity: { podAntiAffinity: terms() } }]),
    ...pick([{}, { topologySpreadConstraints: pick([[constraint()], [constraint(), constraint()]]) }]),
    ...pick([{}, { nodeSelector: { zone: "z1" } }]),
    ...pick([{}, { tolerations: [{ operator: "Exists" }] }]),
  } as Partial<PodSpec>;
}

/** Something happens to a cluster of nodes with and without zones, racks and taints. */
function change(cache: SchedulerCache, pick: Pick, serial: number): void {
  const node = `n${pick([0, 1, 2, 3, 4, 5, 6, 7])}`;
  const what = pick(["node", "no node", "pod", "pod", "pod", "pod", "no pod", "leaving"]);
  const metadata = { namespace: pick(NAMESPACES), labels: { app: pick(APPS) } };
  const spec = { ...randomSpec(pick), nodeName: node };
  if (what === "node") {
    const labels = { ...pick([{}, { zone: "z1" }, { zone: "z2" }]), ...pick([{}, { rack: "r1" }, { rack: "r2" }]) } as Record<
      string,
      string
    >;
    const taints = pick([[], [{ key: "k", effect: "NoSchedule" as const }]]);
    const made = testNode(node, { labels, spec: { taints } });
    const images = IMAGES.filter(() => pick([true, false])).map((name) => ({ names: [name], sizeBytes: 500_000_000 }));
    cache.setNode({ ...made, status: { ...made.status, images } });
  } else if (what === "no node") cache.removeNode(node);
  else if (what === "pod") cache.setPod(testPod(`p${serial % 40}`, spec, metadata));
  else if (what === "no pod") cache.removePod(`p${pick([...Array(40).keys()])}`);
  else cache.setPod(testPod(`p${serial % 40}`, spec, { ...metadata, deletionTimestamp: "2030-01-01T00:00:00Z" }));
}

test.each<[string, (cluster: ClusterLister) => Plugin]>([
  ["pod affinity", interPodAffinity],
  ["topology spread", podTopologySpread],
  ["images", imageLocality],
])("%s: what was counted for pods before changes no verdict and no score", (_name, pluginOf) => {
  const random = seededRandom(11);
  const pick = pickBy(random);
  const teams = new Map([["other", "red"]]);
  const cache = new SchedulerCache();
  for (let i = 0; i < 8; i++) cache.setNode(testNode(`n${i}`, { labels: { zone: `z${1 + (i % 2)}` } }));
  const namespaceLabels = (namespace: string): Record<string, string> => ({ team: teams.get(namespace) ?? "blue" });
  const cluster = testCluster(cache.nodeList, { namespaceLabels });
  const kept = pluginOf(cluster);
  // The same again and again, as pods of one template are.
  const waiting = Array.from({ length: 12 }, (_, i) =>
    testPod(`w${i}`, randomSpec(pick), { namespace: pick(NAMESPACES), labels: { app: pick(APPS) } }),
  );
  const seen = new Set<string>();
  const rated = new Set<string>();
  for (let round = 0; round < 150; round++) {
    for (let i = random.int(4); i >= 0; i--) change(cache, pick, round * 4 + i);
    if (random.int(20) === 0) teams.set("other", pick(["red", "blue"]));
    const pod = podInfo(pick(waiting));
    const plugins = [kept, pluginOf(cluster)].map((plugin) => ({ plugin, state: new CycleState() }));
    const before = plugins.map(({ plugin, state }) => plugin.preFilter?.(state, pod).status.code);
    expect(before[0]).toBe(before[1]);
    const scores = plugins.map(({ plugin }) => scoresOf(plugin, pod.pod, cache.nodes));
    expect(scores[0]).toEqual(scores[1]);
    rated.add(String(scores[0]));
    if (before[0] === "Skip") continue;
    const verdicts = (): (string | undefined)[][] =>
      plugins.map(({ plugin, state }) =>
        cache.nodes
          .map((node) => plugin.filter?.(state, pod, node))
          .map((status) => status && `${status.code} ${status.reasons}`),
      );
    const [first, second] = verdicts();
    expect(first).toEqual(second);
    for (const verdict of first ?? []) seen.add(verdict ?? "");
    // Preemption tries out what would be without some pod.
    const node = cache.nodes[random.int(cache.nodes.length)];
    const victim = node === undefined ? undefined : [...node.pods.values()][0];
    if (victim !== undefined) node?.removePod(victim.uid);
    const [third, fourth] = verdicts();
    expect(third).toEqual(fourth);
    if (victim !== undefined) node?.addPod(victim);
  }
  if (kept.filter !== undefined) expect(seen.size).toBeGreaterThan(2);
  expect(rated.size).toBeGreaterThan(2);
});

test("labels of a namespace that change are seen, though no node has changed", () => {
  const cache = new SchedulerCache();
  cache.setNode(testNode("n0"));
  cache.setPod(testPod("there", { nodeName: "n0" }, { namespace: "other" }));
  let team = "red";
  const plugin = interPodAffinity(testCluster(cache.nodeList, { namespaceLabels: () => ({ team }) }));
  const term = { topologyKey: HOST, labelSelector: {}, namespaceSelector: { matchLabels: { team: "red" } } };
  const away = testPod("p", { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } });
  const verdict = (): string | undefined => cache.nodes.map((node) => verdictOf(plugin, away, node)[0])[0];
  expect(verdict()).toBe("Unschedulable");
  team = "blue";
  expect(verdict()).toBe("Success");
});
