import { expect, test } from "vitest";
import type { ReplicaSet } from "#api/generated/apps/v1.ts";
import type { Node, Pod } from "#api/generated/core/v1.ts";
import type { PodDisruptionBudget } from "#api/generated/policy/v1.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import type { ResourceId } from "#client/client.ts";
import { FakeClient } from "#client/fake-client.ts";
import { type ControllerManager, startControllerManager } from "#kube-controller-manager/controller-manager.ts";
import { disruptionController } from "#kube-controller-manager/controllers/disruption/controller.ts";
import { nodeLifecycleController } from "#kube-controller-manager/controllers/node-lifecycle/controller.ts";
import { replicaSetController } from "#kube-controller-manager/controllers/replicaset/controller.ts";
import type { ControllerDefinition } from "#kube-controller-manager/framework/controller.ts";
import {
  DEPLOYMENTS,
  LEASES,
  NODES,
  POD_DISRUPTION_BUDGETS,
  PODS,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  STATEFUL_SETS,
} from "#kube-controller-manager/framework/resources.ts";
import { costRatio } from "./cost.ts";

const EVENTS: ResourceId = { group: "", version: "v1", resource: "events" };
const NAMESPACE = "ns";
const CHANGES = 20;
const PATIENCE_MS = 60_000;
const KINDS: readonly (readonly [ResourceId, string])[] = [
  [DEPLOYMENTS, "Deployment"],
  [REPLICA_SETS, "ReplicaSet"],
  [STATEFUL_SETS, "StatefulSet"],
  [REPLICATION_CONTROLLERS, "ReplicationController"],
  [PODS, "Pod"],
  [POD_DISRUPTION_BUDGETS, "PodDisruptionBudget"],
  [EVENTS, "Event"],
];

/** Controllers and what they look after, in this process's memory. */
class Controlled implements AsyncDisposable {
  readonly client: FakeClient;
  readonly #stopping = new AbortController();
  #manager: ControllerManager | undefined;

  constructor() {
    const namespaced = KINDS.map(([id, kind]) => ({ id, kind, namespaced: true }));
    const resources = [
      ...namespaced,
      { id: NODES, kind: "Node", namespaced: false },
      { id: LEASES, kind: "Lease", namespaced: true },
    ];
    this.client = new FakeClient({ resources, clock: realClock, random: seededRandom(1) });
  }

  async start(...controllers: ControllerDefinition[]): Promise<void> {
    const { signal } = this.#stopping;
    const { client } = this;
    this.#manager = await startControllerManager({ client, clock: realClock, random: seededRandom(2), signal, controllers });
    await this.#manager.synced;
  }

  /** A pod of the label `app: web`, on a node. */
  async addPod(name: string, labels: Readonly<Record<string, string>> = { app: "web" }): Promise<void> {
    const number = Number(name.replace(/\D/g, ""));
    const podIP = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
    const spec = {
      nodeName: "n",
      containers: [{ name: "main", image: "app", resources: { requests: { cpu: "10m", memory: "16Mi" } } }],
    };
    const status = { phase: "Running", podIP, podIPs: [{ ip: podIP }], conditions: [readyCondition("True")] } as const;
    await this.client.create<Pod>(PODS, NAMESPACE, { metadata: { name, labels }, spec, status });
  }

  async setReady(name: string, ready: "True" | "False"): Promise<void> {
    const pod = await this.client.get<Pod>(PODS, NAMESPACE, name);
    const changed = { ...pod, status: { ...pod.status, conditions: [readyCondition(ready)] } };
    await this.client.update<Pod>(PODS, NAMESPACE, name, changed, { subresource: "status" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#manager?.stop();
  }
}

const readyCondition = (status: "True" | "False") => ({ type: "Ready", status, lastTransitionTime: "2030-01-01T00:00:00Z" });

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error("the controller did not do what it had to");
    await new Promise(setImmediate);
  }
}

/** What is measured among so many objects: gives how often it was done. */
type Setup = (size: number, controlled: Controlled) => Promise<() => Promise<number>>;

/** Pods are ready no longer, one after the other, and then again; each time somebody writes of it. */
function flipping(controlled: Controlled): () => Promise<number> {
  const { writes } = controlled.client;
  return async () => {
    for (const ready of ["False", "True"] as const) {
      for (let i = 0; i < CHANGES; i++) {
        const before = writes.length;
        await controlled.setReady(`p${i}`, ready);
        await until(async () => writes.length === before + 2);
      }
    }
    return 2 * CHANGES;
  };
}

const podsOfBudget: Setup = async (size, controlled) => {
  const { client } = controlled;
  for (let i = 0; i < size; i++) await controlled.addPod(`p${i}`);
  await controlled.start(disruptionController);
  const spec = { minAvailable: 1, selector: { matchLabels: { app: "web" } } };
  await client.create<PodDisruptionBudget>(POD_DISRUPTION_BUDGETS, NAMESPACE, { metadata: { name: "web" }, spec });
  const healthy = async (): Promise<number> =>
    (await client.get<PodDisruptionBudget>(POD_DISRUPTION_BUDGETS, NAMESPACE, "web")).status?.currentHealthy ?? 0;
  await until(async () => (await healthy()) === size);
  return flipping(controlled);
};

const podsThatNobodyControls: Setup = async (size, controlled) => {
  const { client } = controlled;
  for (let i = 0; i < size; i++) await controlled.addPod(`other${i}`, { app: "other" });
  for (let i = 0; i < CHANGES; i++) await controlled.addPod(`p${i}`);
  await controlled.start(replicaSetController);
  const labels = { app: "web" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "main", image: "app" }] } };
  const spec = { replicas: CHANGES, selector: { matchLabels: labels }, template };
  await client.create<ReplicaSet>(REPLICA_SETS, NAMESPACE, { metadata: { name: "web" }, spec });
  const ready = async (): Promise<number> =>
    (await client.get<ReplicaSet>(REPLICA_SETS, NAMESPACE, "web")).status?.readyReplicas ?? 0;
  await until(async () => (await ready()) === CHANGES);
  return flipping(controlled);
};

const nodesNotReady: Setup = async (size, controlled) => {
  const { client } = controlled;
  const node = (name: string, ready: "True" | "False"): Node => ({
    metadata: { name },
    spec: { taints: [] },
    status: { conditions: [readyCondition(ready)] },
  });
  await client.create<Node>(NODES, "", node("first", "True"));
  for (let i = 0; i < size; i++) await client.create<Node>(NODES, "", node(`n${i}`, "False"));
  await controlled.start(nodeLifecycleController);
  const taints = async (name: string): Promise<number> => (await client.get<Node>(NODES, "", name)).spec?.taints?.length ?? 0;
  for (let i = 0; i < size; i++) await until(async () => (await taints(`n${i}`)) === 2);
  return async () => {
    for (const ready of ["True", "False"] as const) {
      for (let i = 0; i < CHANGES; i++) {
        const old = await client.get<Node>(NODES, "", `n${i}`);
        const status = { ...old.status, conditions: [readyCondition(ready)] };
        await client.update<Node>(NODES, "", `n${i}`, { ...old, status }, { subresource: "status" });
        await until(async () => (await taints(`n${i}`)) === (ready === "True" ? 0 : 2));
      }
    }
    return 2 * CHANGES;
  };
};

test.each<{ readonly name: string; readonly setup: Setup; readonly many: number; readonly most: number }>([
  // Measured: 3 to 4, for its pods are counted at each change; 29 when each is looked up by name in a status that names none.
  { name: "a pod that changes costs its PodDisruptionBudget", setup: podsOfBudget, many: 4_000, most: 12 },
  // Measured: 1. When all pods that nobody controls are looked at, 25.
  { name: "a pod that changes costs its ReplicaSet, with pods of others,", setup: podsThatNobodyControls, many: 20_000, most: 4 },
  // Measured: 0.7 to 1.8. When all nodes are looked at again, 40.
  { name: "a node that becomes ready costs, with nodes that are not,", setup: nodesNotReady, many: 4_000, most: 10 },
])(
  "$name among $many little more than among 200",
  async ({ setup, many, most }) => {
    await using small = new Controlled();
    await using large = new Controlled();
    const amongFew = await setup(200, small);
    const amongMany = await setup(many, large);
    expect(await costRatio(amongMany, amongFew)).toBeLessThan(most);
  },
  120_000,
);
