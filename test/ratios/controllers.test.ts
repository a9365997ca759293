import { expect, test } from "vitest";
import type { DaemonSet, ReplicaSet } from "#api/generated/apps/v1.ts";
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, ResourceQuota } from "#api/generated/core/v1.ts";
import type { PodDisruptionBudget } from "#api/generated/policy/v1.ts";
import type { ClusterRole } from "#api/generated/rbac/v1.ts";
import { parseQuantity, quantityCompare } from "#apimachinery/resource/quantity.ts";
import { controllerReference } from "#component-helpers/pod/owner.ts";
import { clusterRoleAggregationController } from "#kube-controller-manager/controllers/clusterrole-aggregation/controller.ts";
import { daemonSetController } from "#kube-controller-manager/controllers/daemonset/controller.ts";
import { disruptionController } from "#kube-controller-manager/controllers/disruption/controller.ts";
import { nodeLifecycleController } from "#kube-controller-manager/controllers/node-lifecycle/controller.ts";
import { persistentVolumeBinderController } from "#kube-controller-manager/controllers/persistentvolume-binder/controller.ts";
import { replicaSetController } from "#kube-controller-manager/controllers/replicaset/controller.ts";
import { resourceQuotaController } from "#kube-controller-manager/controllers/resourcequota/controller.ts";
import {
  CLUSTER_ROLES,
  DAEMON_SETS,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  POD_DISRUPTION_BUDGETS,
  PODS,
  REPLICA_SETS,
  RESOURCE_QUOTAS,
} from "#kube-controller-manager/framework/resources.ts";
import { CHANGES, type Controlled, costAmongMany, NAMESPACE, readyCondition, type Setup, until } from "./controlled.ts";

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

/** Each budget is for pods of its own; of those that change there are always as many. */
const budgetsOfOthers: Setup = async (size, controlled) => {
  const { client } = controlled;
  const budget = (name: string, app: string): PodDisruptionBudget => ({
    metadata: { name },
    spec: { minAvailable: 1, selector: { matchLabels: { app } } },
  });
  for (let i = 0; i < size; i++) {
    await client.create<PodDisruptionBudget>(POD_DISRUPTION_BUDGETS, NAMESPACE, budget(`b${i}`, `app${i}`));
  }
  for (let i = 0; i < CHANGES; i++) await controlled.addPod(`p${i}`);
  await client.create<PodDisruptionBudget>(POD_DISRUPTION_BUDGETS, NAMESPACE, budget("web", "web"));
  await controlled.start(disruptionController);
  const { writes } = client;
  await until(() => controlled.looks > size && writes.length > size);
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

/** The API server charges what is made: this controller only sees what goes, and tells it a second later. */
const podsOfQuota: Setup = async (size, controlled) => {
  const { client } = controlled;
  for (let i = 0; i < size; i++) await controlled.addPod(`p${i}`);
  await controlled.start(resourceQuotaController);
  const spec = { hard: { pods: "100k", "requests.cpu": "100k" } };
  await client.create<ResourceQuota>(RESOURCE_QUOTAS, NAMESPACE, { metadata: { name: "q" }, spec });
  const used = async (): Promise<string> =>
    String((await client.get<ResourceQuota>(RESOURCE_QUOTAS, NAMESPACE, "q")).status?.used?.pods ?? "0");
  // As amounts are written: `4k`.
  await until(async () => quantityCompare(parseQuantity(await used()), parseQuantity(`${size}`)) === 0);
  return async () => {
    for (let i = 0; i < CHANGES; i++) {
      const before = controlled.looks;
      await client.delete(PODS, NAMESPACE, `p${i}`);
      await until(() => controlled.looks > before);
    }
    for (let i = 0; i < CHANGES; i++) await controlled.addPod(`p${i}`);
    return CHANGES;
  };
};

/** A label that no DaemonSet asks for changes; time to look at it is given all the same. */
const nodesOfDaemonSet: Setup = async (size, controlled) => {
  const { client } = controlled;
  for (let i = 0; i < size; i++) await client.create<Node>(NODES, "", { metadata: { name: `n${i}` }, spec: {} });
  await controlled.start(daemonSetController);
  const labels = { app: "agent" };
  const template = { metadata: { labels }, spec: { nodeSelector: { gpu: "yes" }, containers: [{ name: "main", image: "app" }] } };
  const spec = { selector: { matchLabels: labels }, template };
  await client.create<DaemonSet>(DAEMON_SETS, NAMESPACE, { metadata: { name: "agent" }, spec });
  const seen = async (): Promise<number> =>
    (await client.get<DaemonSet>(DAEMON_SETS, NAMESPACE, "agent")).status?.observedGeneration ?? 0;
  await until(async () => (await seen()) === 1);
  let round = 0;
  return async () => {
    round++;
    for (let i = 0; i < CHANGES; i++) {
      const old = await client.get<Node>(NODES, "", `n${i}`);
      await client.update<Node>(NODES, "", `n${i}`, { ...old, metadata: { ...old.metadata, labels: { round: `${round}` } } });
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    }
    return CHANGES;
  };
};

/** Agents on all nodes, of which one after the other is ready no longer, and then again: each time the status tells. */
const podsOfDaemonSet: Setup = async (size, controlled) => {
  const { client } = controlled;
  for (let i = 0; i < size; i++) await client.create<Node>(NODES, "", { metadata: { name: `n${i}` }, spec: {} });
  const labels = { app: "agent" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "main", image: "app" }] } };
  // Pods that are there are left as they are, whatever they were made from.
  const spec = { selector: { matchLabels: labels }, template, updateStrategy: { type: "OnDelete" } };
  const set = await client.create<DaemonSet>(DAEMON_SETS, NAMESPACE, { metadata: { name: "agent" }, spec });
  const ownerReferences = [controllerReference("apps/v1", "DaemonSet", set)];
  for (let i = 0; i < size; i++) {
    const status = { phase: "Running", conditions: [readyCondition("True")] };
    const podSpec = { ...template.spec, nodeName: `n${i}` };
    await client.create<Pod>(PODS, NAMESPACE, { metadata: { name: `p${i}`, labels, ownerReferences }, spec: podSpec, status });
  }
  await controlled.start(daemonSetController);
  const ready = async (): Promise<number> =>
    (await client.get<DaemonSet>(DAEMON_SETS, NAMESPACE, "agent")).status?.numberReady ?? 0;
  await until(async () => (await ready()) === size);
  return flipping(controlled);
};

const volumesOfAnotherClass: Setup = async (size, controlled) => {
  const { client } = controlled;
  const ofVolume = { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], storageClassName: "other" };
  for (let i = 0; i < size; i++) {
    const volume = { metadata: { name: `v${i}` }, spec: ofVolume, status: { phase: "Available" } };
    await client.create<PersistentVolume>(PERSISTENT_VOLUMES, "", volume);
  }
  await controlled.start(persistentVolumeBinderController);
  const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
  return async () => {
    for (let i = 0; i < CHANGES; i++) {
      const before = controlled.looks;
      await client.create<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS, NAMESPACE, { metadata: { name: "c" }, spec });
      await until(() => controlled.looks > before);
      await client.delete(PERSISTENT_VOLUME_CLAIMS, NAMESPACE, "c");
    }
    return CHANGES;
  };
};

/** Roles of others change, among them none that the one that gathers rules asks for. */
const rolesOfOthers: Setup = async (size, controlled) => {
  const { client } = controlled;
  const role = (name: string, labels: Record<string, string>): ClusterRole => ({ metadata: { name, labels }, rules: [] });
  for (let i = 0; i < size; i++) await client.create<ClusterRole>(CLUSTER_ROLES, "", role(`r${i}`, { app: "other" }));
  const clusterRoleSelectors = [{ matchLabels: { aggregate: "yes" } }];
  await client.create<ClusterRole>(CLUSTER_ROLES, "", { ...role("all", {}), aggregationRule: { clusterRoleSelectors } });
  await controlled.start(clusterRoleAggregationController);
  await until(() => controlled.looks > 0);
  let round = 0;
  return async () => {
    round++;
    for (let i = 0; i < CHANGES; i++) {
      const old = await client.get<ClusterRole>(CLUSTER_ROLES, "", `r${i}`);
      await client.update<ClusterRole>(CLUSTER_ROLES, "", `r${i}`, { ...old, rules: [{ verbs: [`v${round}`] }] });
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    }
    return CHANGES;
  };
};

const GIGABYTE = { accessModes: ["ReadWriteOnce"], storageClassName: "local" };
const claimOf = (name: string): PersistentVolumeClaim => ({
  metadata: { name },
  spec: { ...GIGABYTE, resources: { requests: { storage: "1Gi" } } },
});
const volumeNamed = (name: string): PersistentVolume => ({
  metadata: { name },
  spec: { ...GIGABYTE, capacity: { storage: "1Gi" } },
  status: { phase: "Available" },
});

const equalVolumes: Setup = async (size, controlled) => {
  const { client } = controlled;
  for (let i = 0; i < size; i++) await client.create<PersistentVolume>(PERSISTENT_VOLUMES, "", volumeNamed(`v${i}`));
  await controlled.start(persistentVolumeBinderController);
  let serial = 0;
  return async () => {
    for (let i = 0; i < CHANGES; i++) {
      const name = `c${serial++}`;
      await client.create<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS, NAMESPACE, claimOf(name));
      const isBound = async (): Promise<boolean> =>
        (await client.get<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS, NAMESPACE, name)).status?.phase === "Bound";
      await until(isBound);
    }
    return CHANGES;
  };
};

/** A volume comes for which many claims have waited: one of them takes it. */
const claimsThatWait: Setup = async (size, controlled) => {
  const { client } = controlled;
  for (let i = 0; i < size; i++) {
    await client.create<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS, NAMESPACE, claimOf(`c${i}`));
  }
  await controlled.start(persistentVolumeBinderController);
  await until(() => controlled.looks >= size);
  let serial = 0;
  return async () => {
    for (let i = 0; i < CHANGES; i++) {
      const name = `v${serial++}`;
      await client.create<PersistentVolume>(PERSISTENT_VOLUMES, "", volumeNamed(name));
      const isBound = async (): Promise<boolean> =>
        (await client.get<PersistentVolume>(PERSISTENT_VOLUMES, "", name)).status?.phase === "Bound";
      await until(isBound);
    }
    return CHANGES;
  };
};

test.each<{ readonly name: string; readonly setup: Setup; readonly many: number; readonly most: number }>([
  // Measured: 3 to 4, for its pods are counted at each change; 29 when each is looked up by name in a status that names none.
  { name: "a pod that changes costs its PodDisruptionBudget", setup: podsOfBudget, many: 4_000, most: 12 },
  // Measured: 0.5. When all of their namespace are looked at, 14.
  {
    name: "a pod that changes costs its PodDisruptionBudget, with those of others,",
    setup: budgetsOfOthers,
    many: 4_000,
    most: 4,
  },
  // Measured: 1. When all pods that nobody controls are looked at, 25.
  { name: "a pod that changes costs its ReplicaSet, with pods of others,", setup: podsThatNobodyControls, many: 20_000, most: 4 },
  // Measured: 1.3. When its namespace is counted anew, 18.
  { name: "a pod that goes costs its ResourceQuota", setup: podsOfQuota, many: 4_000, most: 4 },
  // Measured: 1.2. When it is looked at again, 45.
  { name: "a node's label that changes costs a DaemonSet of others", setup: nodesOfDaemonSet, many: 20_000, most: 4 },
  // Measured: 0.6 to 2.1. When all nodes are looked at again, 100.
  { name: "a pod that changes costs its DaemonSet", setup: podsOfDaemonSet, many: 20_000, most: 10 },
  // Measured: 1. When those of other classes are looked at, 19.
  { name: "a claim costs the binder of volumes", setup: volumesOfAnotherClass, many: 10_000, most: 4 },
  // Measured: 1. When all of its class are looked at for each claim, 9.
  { name: "a claim costs the binder of equal volumes, which it binds,", setup: equalVolumes, many: 4_000, most: 5 },
  // Measured: 1.2. When all look again for each volume, 35.
  { name: "a volume costs the binder of claims that wait for one,", setup: claimsThatWait, many: 4_000, most: 5 },
  // Measured: 0.8. When it looks at all roles again, 27.
  { name: "a cluster role costs one that gathers others' rules,", setup: rolesOfOthers, many: 10_000, most: 4 },
  // Measured: 0.7 to 1.8. When all nodes are looked at again, 40.
  { name: "a node that becomes ready costs, with nodes that are not,", setup: nodesNotReady, many: 4_000, most: 10 },
])(
  "$name among $many little more than among 200",
  async ({ setup, many, most }) => {
    expect(await costAmongMany(setup, 200, many)).toBeLessThan(most);
  },
  120_000,
);
