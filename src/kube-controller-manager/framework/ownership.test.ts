import { expect, test } from "vitest";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import { FakeClient } from "#client/fake-client.ts";
import { SharedInformer } from "#client/informer.ts";
import { addOwnershipIndexes, claim, type Owned, orphansFor } from "./ownership.ts";
import { PODS } from "./resources.ts";

const random = seededRandom(3);
const one = <T>(of: readonly T[]): T => of[Math.floor(random.float() * of.length)] as T;
const reference = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "r", uid: "u", controller: true };

test.each([
  { matchLabels: { app: "a" } },
  { matchLabels: { app: "a", tier: "x" } },
  { matchExpressions: [{ key: "app", operator: "In", values: ["a", "b"] }] },
  { matchExpressions: [{ key: "tier", operator: "DoesNotExist" }] },
  { matchExpressions: [{ key: "app", operator: "Exists" }] },
  {},
])("$matchLabels $matchExpressions is left no orphan out that it matches", async (wanted) => {
  const resources = [{ id: PODS, kind: "Pod", namespaced: true }];
  const client = new FakeClient({ resources, clock: realClock, random });
  for (let i = 0; i < 100; i++) {
    const labels = one([undefined, {}, { app: "a" }, { app: "b", tier: "x" }, { app: "a", tier: "x" }, { tier: "y" }]);
    const owned = one([{}, { ownerReferences: [reference] }]);
    await client.create<Owned>(PODS, one(["ns", "other"]), { metadata: { name: `p${i}`, ...(labels && { labels }), ...owned } });
  }
  const pods = new SharedInformer<Owned>(PODS, {}, { client, clock: realClock, random });
  addOwnershipIndexes(pods);
  const stopping = new AbortController();
  const running = pods.run(stopping.signal);
  await pods.waitForSync();
  const owner = { metadata: { name: "owner", uid: "owner" } };
  const selector = labelSelectorFromObject(wanted);
  const expected = claim(owner, selector, pods.lister.list("ns")).adopt;
  expect(claim(owner, selector, orphansFor(pods, "ns", selector)).adopt).toEqual(expected);
  expect(expected.length).toBeGreaterThan(0);
  stopping.abort();
  await running;
});
