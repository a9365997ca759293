import { expect, test } from "vitest";
import type { Pod, ResourceQuota } from "#api/generated/core/v1.ts";
import { seededRandom } from "#base/random.ts";
import { ObjectCache } from "#client/object-cache.ts";
import { podEvaluator } from "#component-helpers/quota/pod-evaluator.ts";
import { equalLists, formatResourceList } from "#component-helpers/quota/resource-list.ts";
import { usageOf } from "#component-helpers/quota/usage.ts";
import { UsageTally } from "./usage-tally.ts";

const START_MS = Date.parse("2030-01-01T00:00:00Z");
const HARD = { pods: "10", "count/pods": "10", "requests.cpu": "1", "limits.memory": "1Gi" };

const quota = (name: string, spec: object = {}): ResourceQuota => ({
  metadata: { name, namespace: "ns" },
  spec: { hard: HARD, ...spec },
});
const pod = (name: string, { cpu = "250m", phase = "Running", namespace = "ns", deleted = false } = {}): Pod => ({
  metadata: {
    name,
    namespace,
    ...(deleted ? { deletionTimestamp: "2030-01-01T00:00:00Z", deletionGracePeriodSeconds: 30 } : {}),
  },
  spec: { containers: [{ name: "main", resources: { requests: { cpu }, limits: { memory: "64Mi" } } }] },
  status: { phase },
});

function setUp(): { cache: ObjectCache<object>; tally: UsageTally } {
  const cache = new ObjectCache<object>();
  const tally = new UsageTally(podEvaluator, (namespace) => cache.list(namespace));
  cache.addTally(tally);
  return { cache, tally };
}

test("what was there before a quota and what comes and goes after it is used", () => {
  const { cache, tally } = setUp();
  cache.set(pod("a"));
  cache.set(pod("elsewhere", { namespace: "other" }));
  const used = (): Record<string, string> => formatResourceList(tally.usage(quota("q"), START_MS));
  expect(used()).toEqual({ pods: "1", "count/pods": "1", "requests.cpu": "250m", "limits.memory": "64Mi" });
  cache.set(pod("b"));
  cache.set(pod("a", { cpu: "1" }));
  expect(used()).toEqual({ pods: "2", "count/pods": "2", "requests.cpu": "1250m", "limits.memory": "128Mi" });
  cache.set(pod("b", { phase: "Succeeded" }));
  cache.delete("ns", "a");
  expect(used()).toEqual({ pods: "0", "count/pods": "1", "requests.cpu": "0", "limits.memory": "0" });
});

test("a pod that is being deleted is used until its time is over, seen gone or not", () => {
  const { cache, tally } = setUp();
  const pods = (afterMs: number): unknown => formatResourceList(tally.usage(quota("q"), START_MS + afterMs)).pods;
  cache.set(pod("a", { deleted: true }));
  cache.set(pod("b"));
  expect([pods(0), pods(30_000), pods(30_001), pods(40_000)]).toEqual(["2", "2", "1", "1"]);
  cache.delete("ns", "a");
  expect(pods(40_000)).toBe("1");
});

test("a quota that changes, or comes again, is counted anew", () => {
  const { cache, tally } = setUp();
  cache.set(pod("a"));
  const used = (spec: object): unknown => formatResourceList(tally.usage(quota("q", spec), START_MS)).pods;
  expect(used({})).toBe("1");
  expect(used({ scopes: ["BestEffort"] })).toBe("0");
  tally.forget(quota("q"));
  cache.set(pod("b"));
  expect(used({})).toBe("2");
});

test("after any changes it is what a count of all gives", () => {
  const { cache, tally } = setUp();
  const random = seededRandom(7);
  const quotas = [quota("q"), quota("best", { scopes: ["BestEffort"] }), quota("not", { scopes: ["NotBestEffort"] })];
  for (let step = 0; step < 500; step++) {
    const name = `p${random.int(20)}`;
    const phase = ["Pending", "Running", "Succeeded", "Failed"][random.int(4)] ?? "";
    const cpu = ["0", "100m", "1", "1500u"][random.int(4)] ?? "";
    if (random.int(4) === 0) cache.delete("ns", name);
    else cache.set(pod(name, { phase, cpu, deleted: random.int(3) === 0 }));
    const nowMs = START_MS + step * 80;
    for (const one of quotas) {
      const counted = usageOf(one, podEvaluator, cache.list("ns"), nowMs);
      expect(equalLists(tally.usage(one, nowMs), counted)).toBe(true);
    }
  }
});
