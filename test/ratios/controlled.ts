import type { NodeCondition, Pod, PodCondition } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import type { ResourceId } from "#client/client.ts";
import { FakeClient } from "#client/fake-client.ts";
import { type ControllerManager, startControllerManager } from "#kube-controller-manager/controller-manager.ts";
import type { ControllerDefinition } from "#kube-controller-manager/framework/controller.ts";
import {
  CLUSTER_ROLES,
  CONTROLLER_REVISIONS,
  DAEMON_SETS,
  DEPLOYMENTS,
  HORIZONTAL_POD_AUTOSCALERS,
  IP_ADDRESSES,
  JOBS,
  LEASES,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  POD_DISRUPTION_BUDGETS,
  PODS,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  RESOURCE_QUOTAS,
  SERVICE_CIDRS,
  STATEFUL_SETS,
  STORAGE_CLASSES,
} from "#kube-controller-manager/framework/resources.ts";
import { costRatio } from "./cost.ts";

const EVENTS: ResourceId = { group: "", version: "v1", resource: "events" };
/** Where all objects of these measurements are. */
export const NAMESPACE = "ns";
/** Changes of one round. */
export const CHANGES = 20;
const PATIENCE_MS = 60_000;
const KINDS: readonly (readonly [ResourceId, string])[] = [
  [DEPLOYMENTS, "Deployment"],
  [REPLICA_SETS, "ReplicaSet"],
  [STATEFUL_SETS, "StatefulSet"],
  [DAEMON_SETS, "DaemonSet"],
  [CONTROLLER_REVISIONS, "ControllerRevision"],
  [REPLICATION_CONTROLLERS, "ReplicationController"],
  [JOBS, "Job"],
  [PODS, "Pod"],
  [PERSISTENT_VOLUME_CLAIMS, "PersistentVolumeClaim"],
  [POD_DISRUPTION_BUDGETS, "PodDisruptionBudget"],
  [HORIZONTAL_POD_AUTOSCALERS, "HorizontalPodAutoscaler"],
  [RESOURCE_QUOTAS, "ResourceQuota"],
  [EVENTS, "Event"],
];

/** Controllers and what they look after, in this process's memory. */
export class Controlled implements AsyncDisposable {
  readonly client: FakeClient;
  /** How often a controller has looked at something. */
  looks = 0;
  readonly #stopping = new AbortController();
  #manager: ControllerManager | undefined;

  constructor() {
    const namespaced = KINDS.map(([id, kind]) => ({ id, kind, namespaced: true }));
    const resources = [
      ...namespaced,
      { id: NODES, kind: "Node", namespaced: false },
      { id: PERSISTENT_VOLUMES, kind: "PersistentVolume", namespaced: false },
      { id: CLUSTER_ROLES, kind: "ClusterRole", namespaced: false },
      { id: STORAGE_CLASSES, kind: "StorageClass", namespaced: false },
      { id: SERVICE_CIDRS, kind: "ServiceCIDR", namespaced: false },
      { id: IP_ADDRESSES, kind: "IPAddress", namespaced: false },
      { id: LEASES, kind: "Lease", namespaced: true },
    ];
    this.client = new FakeClient({ resources, clock: realClock, random: seededRandom(1) });
  }

  async start(...controllers: ControllerDefinition[]): Promise<void> {
    const { signal } = this.#stopping;
    const { client } = this;
    const observer = { synced: () => void this.looks++ };
    const random = seededRandom(2);
    this.#manager = await startControllerManager({ client, clock: realClock, random, signal, controllers, observer });
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

/** A condition that says whether something is ready. */
export function readyCondition(status: "True" | "False"): PodCondition & NodeCondition {
  return { type: "Ready", status, lastTransitionTime: "2030-01-01T00:00:00Z" };
}

/** Waits without sleeping: what is waited for is what is measured. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error("the controller did not do what it had to");
    await new Promise(setImmediate);
  }
}

/** What is measured among so many objects: gives how often it was done. */
export type Setup = (size: number, controlled: Controlled) => Promise<() => Promise<number>>;

/** How many times as much it costs among `many` as among `few`. */
export async function costAmongMany(setup: Setup, few: number, many: number): Promise<number> {
  await using small = new Controlled();
  await using large = new Controlled();
  const amongFew = await setup(few, small);
  const amongMany = await setup(many, large);
  // Controllers run until it is known.
  return await costRatio(amongMany, amongFew);
}
