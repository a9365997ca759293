import { expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import type { PodDisruptionBudget } from "#api/generated/policy/v1.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import type { Store } from "#apiserver/registry/resource.ts";
import { createStores } from "#apiserver/registry/store/store-registry.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import { MemoryStore } from "#storage/memory/memory-store.ts";
import { loopbackContext } from "../../../loopback.ts";
import { podDisruptionBudgets } from "../../policy/pod-disruption-budget/pod-disruption-budget.ts";
import { PodBudgets } from "./pod-budgets.ts";

type Selector = NonNullable<PodDisruptionBudget["spec"]>["selector"];

const CONTEXT = loopbackContext();
const WEB: Selector = { matchLabels: { app: "web" } };
const pod = (labels: Record<string, string>): Pod => ({
  metadata: { name: "p", namespace: "ns", labels },
  spec: { containers: [] },
});

async function start(): Promise<{ store: Store<PodDisruptionBudget>; namesOf: (labels: Record<string, string>) => string[] }> {
  const modules = { clock: realClock, random: seededRandom(1), schemaFor, admission: [] };
  const resources = { stored: [podDisruptionBudgets], virtual: [] };
  const stores = await createStores({ ...modules, kv: new MemoryStore({ clock: realClock }), resources: resources as never });
  const budgets = new PodBudgets(stores);
  const namesOf = (labels: Record<string, string>): string[] =>
    budgets.of(pod(labels)).map(({ metadata }) => metadata?.name ?? "");
  return { store: stores.of<PodDisruptionBudget>("policy", "poddisruptionbudgets"), namesOf };
}

async function create(store: Store<PodDisruptionBudget>, name: string, selector: Selector, namespace = "ns"): Promise<void> {
  const spec = selector === undefined ? { minAvailable: 1 } : { minAvailable: 1, selector };
  const budget = { apiVersion: "policy/v1", kind: "PodDisruptionBudget", metadata: { name, namespace }, spec };
  await store.create(budget, CONTEXT);
}

test("a pod has the budgets of its namespace that select its labels", async () => {
  const { store, namesOf } = await start();
  await create(store, "web", WEB);
  await create(store, "either", { matchExpressions: [{ key: "app", operator: "In", values: ["web", "db"] }] });
  await create(store, "elsewhere", WEB, "other");
  await create(store, "all", {});
  await create(store, "none", undefined);
  expect(namesOf({ app: "web" }).sort()).toEqual(["all", "either", "web"]);
  expect(namesOf({ app: "db" }).sort()).toEqual(["all", "either"]);
  expect(namesOf({})).toEqual(["all"]);
});

test("budgets that come, change and go do so for who asks next", async () => {
  const { store, namesOf } = await start();
  expect(namesOf({ app: "web" })).toEqual([]);
  await create(store, "web", WEB);
  expect(namesOf({ app: "web" })).toEqual(["web"]);
  const select: Parameters<typeof store.update>[2] = (draft) => {
    draft.spec = { minAvailable: 1, selector: { matchLabels: { app: "db" } } };
  };
  await store.update("ns", "web", select, CONTEXT);
  expect(namesOf({ app: "web" })).toEqual([]);
  expect(namesOf({ app: "db" })).toEqual(["web"]);
  await store.delete("ns", "web", {}, CONTEXT);
  expect(namesOf({ app: "db" })).toEqual([]);
});
