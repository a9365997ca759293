import { expect, test } from "vitest";
import type { Node, Pod, PodSpec } from "#api/generated/core/v1.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { type Random, seededRandom } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { SchedulerCache } from "./cache/scheduler-cache.ts";
import { nodeHandler, podHandler } from "./event-handlers.ts";
import { Framework } from "./framework/framework.ts";
import { SUCCESS } from "./framework/status.ts";
import { requesting, testCluster, testNode, testPod } from "./framework/test-objects.ts";
import { defaultPlugins } from "./plugins/registry.ts";
import { Nominator } from "./queue/nominator.ts";
import { type QueuedPod, SchedulingQueue } from "./queue/scheduling-queue.ts";
import { PodPlacer } from "./schedule-pod.ts";

const NODES = 6;
const PODS = 60;

/** Nodes and pods that come, change and go, and what decides on them; nobody makes way for anybody. */
class Cluster {
  readonly #random: Random;
  readonly #cache = new SchedulerCache();
  readonly #queue: SchedulingQueue;
  readonly #placer: PodPlacer;
  readonly #podHandler: ReturnType<typeof podHandler>;
  readonly #nodeHandler: ReturnType<typeof nodeHandler>;
  readonly #nodes = new Map<string, Node>();
  readonly #pods = new Map<string, Pod>();
  readonly #waiting = new Map<string, QueuedPod>();
  placed = 0;

  constructor(random: Random) {
    this.#random = random;
    const cache = this.#cache;
    const nominator = new Nominator();
    const clock = new ManualClock(0);
    const preemption = {
      random,
      nodes: () => cache.nodes,
      budgetsOf: () => [],
      nominatedNodeOf: () => undefined,
      filter: () => SUCCESS,
      evict: () => undefined,
    };
    const cluster = testCluster(cache.nodeList, { node: (name) => cache.node(name), lowestPriority: () => cache.lowestPriority });
    const framework = new Framework(defaultPlugins({ client: {} as Client, clock, cluster, preemption }));
    this.#placer = new PodPlacer({ framework, cache, nominator, random, percentageOfNodesToScore: 0 });
    this.#queue = new SchedulingQueue({ framework, clock, onReady: () => undefined });
    const targets = { cache, queue: this.#queue, nominator, schedulerName: "default-scheduler" };
    this.#podHandler = podHandler(targets);
    this.#nodeHandler = nodeHandler(targets);
  }

  /** Something happens, and the queue is worked off. */
  step(): void {
    const what = this.#random.int(10);
    if (what < 3) this.#changeNode(`n${this.#random.int(NODES)}`);
    else this.#changePod(`p${this.#random.int(PODS)}`);
    for (let queued = this.#queue.pop(); queued !== undefined; queued = this.#queue.pop()) this.#try(queued);
  }

  /** Pods that were left waiting though they would find a place. */
  forgotten(): string[] {
    return [...this.#waiting].filter(([, { info }]) => this.#placer.schedule(info).outcome === "fits").map(([name]) => name);
  }

  #try(queued: QueuedPod): void {
    const { pod, uid } = queued.info;
    const result = this.#placer.schedule(queued.info);
    if (result.outcome !== "fits") {
      this.#waiting.set(uid, queued);
      this.#queue.addUnschedulable(queued, result.outcome === "no fit" ? result.diagnosis.rejectors : new Set());
      return;
    }
    this.#waiting.delete(uid);
    this.placed++;
    const bound = { ...pod, spec: { ...pod.spec, nodeName: result.nodeName } };
    this.#pods.set(uid, bound);
    this.#podHandler.onUpdate?.(pod, bound);
  }

  #changeNode(name: string): void {
    const old = this.#nodes.get(name);
    if (old !== undefined && this.#random.int(4) === 0) {
      this.#nodes.delete(name);
      // As the pod garbage collector does; while its pods are there they keep others away, of which upstream hears as late.
      for (const pod of [...this.#pods.values()].filter(({ spec }) => spec.nodeName === name)) this.#remove(pod);
      this.#nodeHandler.onDelete?.(old);
      return;
    }
    const node = this.#node(name);
    this.#nodes.set(name, node);
    if (old === undefined) this.#nodeHandler.onAdd?.(node, false);
    else this.#nodeHandler.onUpdate?.(old, node);
  }

  #changePod(name: string): void {
    const old = this.#pods.get(name);
    if (old === undefined) {
      const pod = this.#pod(name);
      this.#pods.set(name, pod);
      this.#podHandler.onAdd?.(pod, false);
    } else if (this.#pick(["label", "leave", "go"]) === "label") this.#update(old, { labels: { app: this.#pick(["a", "b"]) } });
    else this.#remove(old);
  }

  #remove(pod: Pod): void {
    const { name = "" } = pod.metadata;
    this.#pods.delete(name);
    this.#waiting.delete(name);
    this.#podHandler.onDelete?.(pod);
  }

  #update(old: Pod, metadata: Pod["metadata"]): void {
    const pod = { ...old, metadata: { ...old.metadata, ...metadata } };
    this.#pods.set(pod.metadata.name ?? "", pod);
    this.#podHandler.onUpdate?.(old, pod);
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#random.int(values.length)] as T;
  }

  #node(name: string): Node {
    const zone = this.#pick(["a", "b", ""]);
    const labels: Record<string, string> = { disk: this.#pick(["ssd", "hdd"]), ...(zone === "" ? {} : { zone }) };
    const taints = this.#pick([[], [], [{ key: "k", effect: "NoSchedule" }]]);
    const unschedulable = this.#random.int(5) === 0;
    return testNode(name, { labels, spec: { taints, unschedulable }, allocatable: { cpu: this.#pick(["2", "4"]), pods: "5" } });
  }

  #pod(name: string): Pod {
    const hostPort = this.#pick([0, 0, 8080, 8081]);
    const ports = hostPort === 0 ? [] : [{ containerPort: 80, hostPort }];
    const term = {
      labelSelector: { matchLabels: { app: this.#pick(["a", "b"]) } },
      topologyKey: this.#pick(["zone", "kubernetes.io/hostname"]),
    };
    const more = this.#pick<Partial<PodSpec>>([
      {},
      { nodeSelector: { disk: "ssd" } },
      { tolerations: [{ operator: "Exists" }] },
      { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } },
      { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } },
      { topologySpreadConstraints: [{ ...term, maxSkew: 1, whenUnsatisfiable: "DoNotSchedule" }] },
    ]);
    const containers = [requesting({ cpu: this.#pick(["500m", "1", "2", "3"]) }, { ports })];
    return testPod(name, { containers, ...more }, { labels: { app: this.#pick(["a", "b"]) } });
  }
}

test.each([1, 2, 3])("no pod is left waiting once it would find a place (seed %i)", (seed) => {
  const cluster = new Cluster(seededRandom(seed));
  for (let step = 0; step < 1_000; step++) {
    cluster.step();
    expect([step, cluster.forgotten()]).toEqual([step, []]);
  }
  expect(cluster.placed).toBeGreaterThan(100);
});
