import { beforeEach, expect, test } from "vitest";
import type { ReplicaSet } from "#api/generated/apps/v1.ts";
import type { Pod } from "#api/generated/core/v1.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import { FakeClient } from "#client/fake-client.ts";
import { SharedInformer } from "#client/informer.ts";
import { addLabelIndex, countSelectedBy, selectedBy } from "./label-index.ts";
import { PODS, REPLICA_SETS } from "./resources.ts";
import { addSelectorIndex, selecting } from "./selector-index.ts";

type Selector = ReplicaSet["spec"]["selector"];

const selectors: Record<string, Selector> = {
  exact: { matchLabels: { app: "web" } },
  two: { matchLabels: { app: "web", tier: "front" } },
  either: { matchExpressions: [{ key: "app", operator: "In", values: ["web", "db"] }] },
  absent: { matchExpressions: [{ key: "tier", operator: "DoesNotExist" }] },
  all: {},
};
const labels: Record<string, Record<string, string>> = {
  web: { app: "web" },
  front: { app: "web", tier: "front" },
  db: { app: "db" },
  bare: {},
};
const selectorOf = ({ spec }: ReplicaSet): ReturnType<typeof labelSelectorFromObject> => labelSelectorFromObject(spec.selector);

let pods: SharedInformer<Pod>;
let sets: SharedInformer<ReplicaSet>;
beforeEach(async () => {
  const resources = [
    { id: PODS, kind: "Pod", namespaced: true },
    { id: REPLICA_SETS, kind: "ReplicaSet", namespaced: true },
  ];
  const options = { client: new FakeClient({ resources, clock: realClock, random: seededRandom(1) }), clock: realClock };
  for (const namespace of ["ns", "other"]) {
    for (const [name, own] of Object.entries(labels)) {
      await options.client.create<Pod>(PODS, namespace, { metadata: { name, labels: own }, spec: { containers: [] } });
    }
    for (const [name, selector] of Object.entries(selectors)) {
      await options.client.create<ReplicaSet>(REPLICA_SETS, namespace, { metadata: { name }, spec: { selector, template: {} } });
    }
  }
  pods = new SharedInformer<Pod>(PODS, {}, options);
  sets = new SharedInformer<ReplicaSet>(REPLICA_SETS, {}, options);
  addLabelIndex(pods);
  addSelectorIndex(sets, selectorOf);
  const stop = new AbortController();
  const running = [pods.run(stop.signal), sets.run(stop.signal)];
  await Promise.all([pods.waitForSync(), sets.waitForSync()]);
  stop.abort();
  await Promise.all(running);
});

test.each([
  ["exact", 2],
  ["two", undefined],
  ["either", undefined],
])("how many pods the selector %j selects is known without a look at them where it asks for one value", (name, want) => {
  expect(countSelectedBy(pods, "ns", labelSelectorFromObject(selectors[name]))).toBe(want);
});

test.each([
  ["exact", ["front", "web"]],
  ["two", ["front"]],
  ["either", ["db", "front", "web"]],
  ["absent", ["bare", "db", "web"]],
  ["all", ["bare", "db", "front", "web"]],
])("the pods that %s selects", (name, want) => {
  const selected = selectedBy(pods, "ns", labelSelectorFromObject(selectors[name] ?? {}));
  expect(selected.map(({ metadata }) => metadata.name).sort()).toEqual(want);
  expect(selected.every(({ metadata }) => metadata.namespace === "ns")).toBe(true);
});

test.each([
  ["web", ["absent", "either", "exact"]],
  ["front", ["either", "exact", "two"]],
  ["db", ["absent", "either"]],
  ["bare", ["absent"]],
])("those that select the pod %s", (name, want) => {
  const found = selecting(sets, selectorOf, "ns", labels[name]);
  expect(found.map(({ metadata }) => metadata.name).sort()).toEqual(want);
});
