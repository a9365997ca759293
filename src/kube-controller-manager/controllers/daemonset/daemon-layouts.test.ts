import { expect, test } from "vitest";
import type { DaemonSet } from "#api/generated/apps/v1.ts";
import type { Node, Pod } from "#api/generated/core/v1.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { type Random, seededRandom } from "#base/random.ts";
import type { Client, ResourceId, WatchEvent } from "#client/client.ts";
import { SharedInformer } from "#client/informer.ts";
import { keyOf } from "#client/object-meta.ts";
import { claim } from "../../framework/ownership.ts";
import { NODES, PODS } from "../../framework/resources.ts";
import { DaemonLayout } from "./daemon-layout.ts";
import { DaemonLayouts, type Seen } from "./daemon-layouts.ts";
import { newDaemonPod } from "./daemon-pods.ts";
import type { NodeShare } from "./node-share.ts";

const START_MS = Date.parse("2030-01-01T00:00:00Z");
const STEPS = 300;
const timeAt = (ms: number): string => new Date(ms).toISOString();

/** Objects of one resource, and an informer that learns of changes when it is told: one by one, or by a new list. */
class Mirrored<T extends Node | Pod> {
  readonly informer: SharedInformer<T>;
  readonly objects = new Map<string, T>();
  readonly #clock = new ManualClock();
  #revision = 1;
  #pending: WatchEvent<T>[] = [];
  #wake: () => void = () => {};

  constructor(id: ResourceId, random: Random, signal: AbortSignal) {
    const client = {
      list: async () => ({ metadata: { resourceVersion: `${this.#revision}` }, items: [...this.objects.values()] }),
      watch: () => this.#events(signal),
    } as unknown as Client;
    this.informer = new SharedInformer<T>(id, {}, { client, clock: this.#clock, random, freeze: true });
    void this.informer.run(signal);
  }

  set(object: T): void {
    const metadata = { ...object.metadata, resourceVersion: `${++this.#revision}` };
    const type = this.objects.has(keyOf(object)) ? "MODIFIED" : "ADDED";
    this.objects.set(keyOf(object), { ...object, metadata });
    this.#pending.push({ type, object: { ...object, metadata } });
  }

  /** Its last state may be one that was never told. */
  delete(last: T): void {
    if (!this.objects.delete(keyOf(last))) return;
    this.#pending.push({
      type: "DELETED",
      object: { ...last, metadata: { ...last.metadata, resourceVersion: `${++this.#revision}` } },
    });
  }

  async tell(byList: boolean): Promise<void> {
    const expired = { kind: "Status", code: 410, reason: "Expired" } as unknown as T;
    if (byList) this.#pending = [{ type: "ERROR", object: expired }];
    this.#wake();
    await turns();
    if (byList) this.#clock.advance(60_000);
    await turns();
    expect(this.informer.lister.list().length).toBe(this.objects.size);
  }

  async *#events(signal: AbortSignal): AsyncGenerator<readonly WatchEvent<T>[]> {
    while (!signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      yield this.#pending.splice(0);
    }
  }
}

/** Nothing here waits for time: what is under way ends within these turns. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

/** Makes nodes, pods and sets of all kinds, with names that come again. */
class Anything {
  readonly #random: Random;
  nowMs = START_MS;

  constructor(random: Random) {
    this.#random = random;
  }

  one<T>(...of: readonly T[]): T {
    return of[this.#random.int(of.length)] as T;
  }

  node(): Node {
    const taint = { key: "k", effect: this.one("NoSchedule", "NoExecute", "PreferNoSchedule") };
    return {
      metadata: {
        name: this.one("a", "b", "c", "d", "e", "f"),
        uid: this.#random.uuid(),
        labels: { disk: this.one("ssd", "hdd") },
      },
      spec: { taints: this.one([], [], [taint]) },
    };
  }

  set(): DaemonSet {
    const labels = { app: "d" };
    const spec = { containers: [], ...this.one({}, { nodeSelector: { disk: "ssd" } }) };
    const rollingUpdate = this.one({ maxUnavailable: 1 }, { maxUnavailable: "60%" }, { maxUnavailable: 0, maxSurge: "50%" });
    const annotations = this.one({}, { annotations: { "deprecated.daemonset.template.generation": "2" } });
    return {
      metadata: { name: "d", namespace: "ns", uid: "d", ...annotations },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec },
        minReadySeconds: this.one(0, 10),
        updateStrategy: this.one({ type: "RollingUpdate", rollingUpdate }, { type: "OnDelete" }),
      },
    };
  }

  pod(set: DaemonSet): Pod {
    const made = newDaemonPod(set, this.one("a", "b", "c", "d", "e", "gone"), this.one("new", "old"));
    const reference = {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      name: "d",
      uid: this.one("d", "d", "d", "other"),
      controller: true,
    };
    const lastTransitionTime = timeAt(this.nowMs - this.#random.int(12) * 1000);
    const conditions = [{ type: "Ready", status: this.one("True", "True", "False"), lastTransitionTime }];
    return {
      metadata: {
        name: `p${this.#random.int(14)}`,
        namespace: "ns",
        uid: this.#random.uuid(),
        creationTimestamp: timeAt(START_MS - this.#random.int(3) * 1000),
        labels: { ...made.metadata.labels, app: this.one("d", "d", "d", "x") },
        ownerReferences: this.one([], [reference], [reference], [reference]),
        ...this.one({}, {}, {}, { deletionTimestamp: timeAt(START_MS) }),
      },
      spec: { ...made.spec, ...this.one({}, { nodeName: this.one("a", "b", "c", "gone") }, { affinity: {} }) },
      status: { phase: this.one("Pending", "Running", "Running", "Failed", "Succeeded"), conditions },
    };
  }
}

/** All that can be asked, in an order that does not depend on what came first. */
function told({ daemons, adoptPods, releasePods }: Seen): unknown {
  const names = (pods: readonly Pod[]): string =>
    pods
      .map(({ metadata }) => metadata.name)
      .sort()
      .join();
  const shares = (all: Iterable<NodeShare>): readonly string[] =>
    [...all]
      .map((share) =>
        JSON.stringify({
          ...share,
          surplus: names(share.surplus),
          ended: names(share.ended),
          oldPod: share.oldPod?.metadata.name,
        }),
      )
      .sort();
  const stands = ["outdated", "broken", "updating", "surging", "surged", "none", "unclear"] as const;
  return {
    counts: { ...daemons.counts },
    groups: [daemons.lacking, daemons.withSurplus, daemons.withEnded, ...stands.map((stand) => daemons.at(stand))].map(shares),
    from: ["new", "old", undefined].map((hash) => [daemons.hasPodsFrom(hash), names(daemons.madeFrom(hash))]),
    claims: [names(adoptPods), names(releasePods)],
  };
}

/** What looking at everything comes to. */
function wholeLook(set: DaemonSet, hash: string, nodes: Iterable<Node>, pods: Iterable<Pod>, nowMs: number): Seen {
  const { keep, adopt, release } = claim(set, labelSelectorFromObject(set.spec.selector), pods);
  const daemons = new DaemonLayout(set, hash);
  for (const node of nodes) daemons.setNode(node.metadata.name ?? "", node);
  for (const pod of [...keep, ...adopt]) daemons.setPod(keyOf(pod), pod);
  daemons.settle(nowMs);
  return { daemons, adoptPods: adopt, releasePods: release };
}

test.each([1, 2, 3])("whatever changes, what is kept is what a look at everything comes to (seed %i)", async (seed) => {
  const random = seededRandom(seed);
  const anything = new Anything(random);
  const stopping = new AbortController();
  const pods = new Mirrored<Pod>(PODS, random, stopping.signal);
  const nodes = new Mirrored<Node>(NODES, random, stopping.signal);
  const layouts = new DaemonLayouts(pods.informer, nodes.informer);
  nodes.informer.addHandler({
    onAdd: (node) => layouts.noteNode(node),
    onUpdate: (_old, node) => layouts.noteNode(node),
    onDelete: (node) => layouts.noteNode(node),
  });
  await turns();
  let set = anything.set();
  let hash = "new";
  for (let step = 0; step < STEPS; step++) {
    for (let changes = random.int(4); changes > 0; changes--) {
      const [node, pod] = [anything.node(), anything.pod(set)];
      const known = pods.objects.get(keyOf(pod));
      if (random.int(4) === 0) nodes.set(node);
      else if (random.int(12) === 0) nodes.delete(node);
      else if (random.int(5) === 0) pods.delete(pod);
      // The same pod goes on, or another has its name.
      else pods.set(known === undefined || random.int(3) === 0 ? pod : { ...known, status: pod.status ?? {} });
    }
    if (random.int(40) === 0) set = anything.set();
    if (random.int(40) === 0) hash = anything.one("new", "old");
    // Written anew, as its status is, it is the same.
    set = { ...set, spec: structuredClone(set.spec) };
    anything.nowMs += anything.one(0, 0, 500, 1000, 5000, -20_000);
    await pods.tell(random.int(20) === 0);
    await nodes.tell(random.int(20) === 0);
    // Several changes may come between two looks.
    if (random.int(4) === 0) continue;
    const whole = wholeLook(set, hash, nodes.objects.values(), pods.objects.values(), anything.nowMs);
    expect(told(layouts.look(set, hash, anything.nowMs)), `step ${step}`).toEqual(told(whole));
  }
  stopping.abort();
});
