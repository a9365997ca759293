import { bench, describe } from "vitest";
import type { PodSpec } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { SchedulerCache } from "./cache/scheduler-cache.ts";
import { Framework } from "./framework/framework.ts";
import { podInfo } from "./framework/pod-info.ts";
import { requesting, testCluster, testNode, testPod } from "./framework/test-objects.ts";
import { defaultPlugins } from "./plugins/registry.ts";
import { Nominator } from "./queue/nominator.ts";
import { PodPlacer } from "./schedule-pod.ts";

const LABELS = { app: "a" };
const labelSelector = { matchLabels: LABELS };
const containers = [requesting({ cpu: "10m" })];
const ZONE = "topology.kubernetes.io/zone";
const HOST = "kubernetes.io/hostname";
const term = (topologyKey: string): object => ({
  requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector, topologyKey }],
});
const SPECS: Readonly<Record<string, Partial<PodSpec>>> = {
  basic: { containers },
  "spread over zones": {
    containers,
    topologySpreadConstraints: [{ maxSkew: 100, topologyKey: ZONE, whenUnsatisfiable: "DoNotSchedule", labelSelector }],
  },
  "with others of its kind": { containers, affinity: { podAffinity: term(ZONE) } } as Partial<PodSpec>,
  "alone on its node": { containers, affinity: { podAntiAffinity: term(HOST) } } as Partial<PodSpec>,
};

/** Some nodes of which one in ten has a pod already. */
function placerAmong(count: number): PodPlacer {
  const cache = new SchedulerCache();
  for (let i = 0; i < count; i++) {
    cache.setNode(testNode(`n${i}`, { labels: { [ZONE]: `z${i % 10}` } }));
    if (i % 10 === 0) cache.setPod(testPod(`on-${i}`, { containers, nodeName: `n${i}` }, { labels: LABELS }));
  }
  const nominator = new Nominator();
  const framework = new Framework(
    defaultPlugins({
      client: {} as Client,
      clock: realClock,
      cluster: testCluster(cache.nodeList),
      preemption: {
        random: seededRandom(1),
        nodes: () => cache.nodes,
        budgetsOf: () => [],
        nominatedNodeOf: () => undefined,
        filter: () => {
          throw new Error("nobody has to make room");
        },
        evict: () => undefined,
      },
    }),
  );
  return new PodPlacer({ framework, cache, nominator, random: seededRandom(1), percentageOfNodesToScore: 0 });
}

describe.each([500, 5_000])("a pod's place among %i nodes", (count) => {
  const placer = placerAmong(count);
  for (const [name, spec] of Object.entries(SPECS)) {
    const pod = podInfo(testPod("p", spec, { labels: LABELS }));
    bench(name, () => {
      if (placer.schedule(pod).outcome !== "fits") throw new Error("it finds none");
    });
  }
});
