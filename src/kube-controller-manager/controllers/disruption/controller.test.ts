import { expect, onTestFinished, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import type { PodDisruptionBudget } from "#api/generated/policy/v1.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import { FakeClient } from "#client/fake-client.ts";
import { startControllerManager } from "../../controller-manager.ts";
import {
  DEPLOYMENTS,
  POD_DISRUPTION_BUDGETS,
  PODS,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  STATEFUL_SETS,
} from "../../framework/resources.ts";
import { disruptionController } from "./controller.ts";

const RESOURCES = [
  { id: PODS, kind: "Pod", namespaced: true },
  { id: POD_DISRUPTION_BUDGETS, kind: "PodDisruptionBudget", namespaced: true },
  { id: DEPLOYMENTS, kind: "Deployment", namespaced: true },
  { id: REPLICA_SETS, kind: "ReplicaSet", namespaced: true },
  { id: REPLICATION_CONTROLLERS, kind: "ReplicationController", namespaced: true },
  { id: STATEFUL_SETS, kind: "StatefulSet", namespaced: true },
];

const pod = (name: string, app: string): Pod => ({
  metadata: { name, labels: { app } },
  spec: { containers: [{ name: "c", image: "i" }] },
  status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
});

test("pods count for budgets that select them, for those of all pods, and no longer when their labels change", async () => {
  const client = new FakeClient({ resources: RESOURCES, clock: realClock, random: seededRandom(1) });
  const selectors = {
    web: { matchLabels: { app: "web" } },
    some: { matchExpressions: [{ key: "app", operator: "Exists" }] },
    all: {},
  };
  for (const [name, selector] of Object.entries(selectors)) {
    const budget: PodDisruptionBudget = { metadata: { name }, spec: { minAvailable: 1, selector } };
    await client.create<PodDisruptionBudget>(POD_DISRUPTION_BUDGETS, "ns", budget);
  }
  const manager = await startControllerManager({
    client,
    clock: realClock,
    random: seededRandom(2),
    signal: new AbortController().signal,
    controllers: [disruptionController],
    freeze: true,
  });
  onTestFinished(() => manager.stop());
  const healthy = async (): Promise<(number | undefined)[]> =>
    Promise.all(
      Object.keys(selectors).map(
        async (name) => (await client.get<PodDisruptionBudget>(POD_DISRUPTION_BUDGETS, "ns", name)).status?.currentHealthy,
      ),
    );
  await client.create<Pod>(PODS, "ns", pod("p", "web"));
  await client.create<Pod>(PODS, "ns", pod("q", "db"));
  await expect.poll(healthy).toEqual([1, 2, 2]);
  const there = await client.get<Pod>(PODS, "ns", "p");
  await client.update<Pod>(PODS, "ns", "p", { ...there, metadata: { ...there.metadata, labels: {} } });
  await expect.poll(healthy).toEqual([0, 1, 2]);
  await client.delete(PODS, "ns", "q");
  await expect.poll(healthy).toEqual([0, 0, 1]);
});
