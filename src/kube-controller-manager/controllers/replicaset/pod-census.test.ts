import { expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { seededRandom } from "#base/random.ts";
import { ObjectCache } from "#client/object-cache.ts";
import { controllerOf } from "#component-helpers/pod/owner.ts";
import { availableOf, groupPods, PodCensus, type PodGroup } from "./pod-census.ts";

const NOW = Date.parse("2030-01-01T00:00:00Z");
const random = seededRandom(7);
const one = <T>(of: readonly T[]): T => of[Math.floor(random.float() * of.length)] as T;

function anyPod(name: string): Pod {
  const reference = {
    apiVersion: "apps/v1",
    kind: one(["ReplicaSet", "Job"]),
    name: "r",
    uid: one(["x", "y"]),
    controller: true,
  };
  const ready = {
    type: "Ready",
    status: one(["True", "False"]),
    lastTransitionTime: one(["2029-12-31T23:59:00Z", "2029-12-31T23:59:55Z"]),
  };
  return {
    metadata: {
      name,
      namespace: "ns",
      ...one([{}, { labels: { app: "r" } }, { labels: { app: "r", more: "z" } }]),
      ...one([{}, { deletionTimestamp: "2030-01-01T00:00:30Z" }]),
      ...one([{}, { ownerReferences: [reference] }]),
    },
    spec: { containers: [] },
    status: { phase: one(["Pending", "Running", "Succeeded", "Failed"]), ...one([{}, { conditions: [ready] }]) },
  };
}

/** Groups in an order that does not depend on who came first. */
const sorted = (groups: readonly PodGroup[]): readonly PodGroup[] =>
  [...groups].sort((a, b) => (JSON.stringify(a.labels ?? {}) < JSON.stringify(b.labels ?? {}) ? -1 : 1));

test("however pods come, change and go, the census says what counting all of them would", () => {
  const cache = new ObjectCache<Pod>();
  const census = new PodCensus({ kind: "ReplicaSet" });
  for (let i = 0; i < 50; i++) cache.set(anyPod(`p${i}`));
  // It may come late.
  cache.addTally(census);
  for (let i = 0; i < 2000; i++) {
    const name = `p${Math.floor(random.float() * 100)}`;
    if (random.float() < 0.3) cache.delete("ns", name);
    else cache.set(anyPod(name));
    if (i % 10 !== 0) continue;
    for (const uid of ["x", "y"]) {
      const owned = cache.list().filter((pod) => controllerOf(pod)?.uid === uid && controllerOf(pod)?.kind === "ReplicaSet");
      expect(sorted(census.of(uid, true))).toEqual(sorted(groupPods(owned)));
    }
  }
  for (const { metadata } of cache.list()) cache.delete("ns", metadata.name ?? "");
  expect([...census.of("x", true), ...census.of("y", true)]).toEqual([]);
});

test.each([
  { minReadySeconds: 0, want: 3 },
  { minReadySeconds: 10, want: 2 },
  { minReadySeconds: 600, want: 0 },
])("available after $minReadySeconds s: $want", ({ minReadySeconds, want }) => {
  const readySince = new Map([
    ["2029-12-31T23:59:00Z", 2],
    ["2029-12-31T23:59:55Z", 1],
  ]);
  const group: PodGroup = { labels: {}, active: 4, ready: 3, readySince, terminating: 0 };
  expect(availableOf(group, minReadySeconds, NOW)).toBe(want);
});
