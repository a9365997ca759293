import { expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import type { PodDisruptionBudget, PodDisruptionBudgetSpec } from "#api/generated/policy/v1.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import { type Observed, reconcile } from "./reconcile.ts";

const NOW = Date.parse("2030-01-01T00:00:00Z");

function pod(name: string, ready: boolean): Pod {
  return {
    metadata: { name, namespace: "ns" },
    spec: { containers: [] },
    status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  };
}

function observe(spec: PodDisruptionBudgetSpec, ready: number, unready: number, more: Partial<Observed> = {}): Observed {
  const budget: PodDisruptionBudget = { metadata: { name: "b", namespace: "ns", generation: 1 }, spec };
  const pods = Array.from({ length: ready + unready }, (_, index) => pod(`p${index}`, index < ready));
  return { budget, pods, scale: ready + unready, unmanaged: false, nowMs: NOW, ...more };
}

function statusOf(observed: Observed) {
  const action = reconcile(observed).find(({ type }) => type === "updateStatus");
  return action?.type === "updateStatus" ? action.status : undefined;
}

test.each([
  { name: "a number of which all are there", spec: { minAvailable: 3 }, ready: 3, unready: 0, want: [3, 3, 3, 0] },
  { name: "a number with one to spare", spec: { minAvailable: 2 }, ready: 3, unready: 0, want: [3, 3, 2, 1] },
  { name: "a part, rounded up", spec: { minAvailable: "50%" }, ready: 3, unready: 0, want: [3, 3, 2, 1] },
  { name: "who may be absent", spec: { maxUnavailable: 1 }, ready: 3, unready: 0, want: [3, 3, 2, 1] },
  { name: "who may be absent, and one is", spec: { maxUnavailable: 1 }, ready: 2, unready: 1, want: [3, 2, 2, 0] },
  { name: "more than there are may be absent", spec: { maxUnavailable: 5 }, ready: 2, unready: 0, want: [2, 2, 0, 2] },
  { name: "no pods", spec: { minAvailable: 0 }, ready: 0, unready: 0, want: [0, 0, 0, 0] },
])("$name", ({ spec, ready, unready, want }) => {
  const status = statusOf(observe(spec, ready, unready));
  const { expectedPods, currentHealthy, desiredHealthy, disruptionsAllowed } = status ?? {};
  expect([expectedPods, currentHealthy, desiredHealthy, disruptionsAllowed]).toEqual(want);
  expect(status?.conditions?.[0]?.reason).toBe((want[3] ?? 0) > 0 ? "SufficientPods" : "InsufficientPods");
});

test("a status that says it all is left alone", () => {
  const observed = observe({ minAvailable: 1 }, 2, 0);
  const status = statusOf(observed);
  expect(reconcile({ ...observed, budget: { ...observed.budget, ...(status && { status }) } })).toEqual([]);
});

test("an evicted pod counts as gone until its time is up", () => {
  const evictedAt = (ms: number): Observed => {
    const observed = observe({ minAvailable: 1 }, 3, 0);
    return { ...observed, budget: { ...observed.budget, status: { disruptedPods: { p0: formatTime(ms) } } } };
  };
  expect(statusOf(evictedAt(NOW - 20_000))).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 1 });
  expect(reconcile(evictedAt(NOW - 20_000))).toContainEqual({ type: "requeue", afterMs: 100_000 });
  expect(statusOf(evictedAt(NOW - 130_000))).toMatchObject({ currentHealthy: 3, disruptionsAllowed: 2 });
  expect(reconcile(evictedAt(NOW - 130_000))[0]).toMatchObject({ type: "event", reason: "NotDeleted" });
});

test("nothing may be evicted while the scale is unknown", () => {
  const status = statusOf(observe({ maxUnavailable: 1 }, 2, 0, { scale: new Error('found no controllers for pod "p0"') }));
  expect(status).toMatchObject({ disruptionsAllowed: 0 });
  expect(status?.conditions?.[0]).toMatchObject({ reason: "SyncFailed", message: 'found no controllers for pod "p0"' });
});

test("pods without a controller are told with the selector as Go prints it", () => {
  const selector = { matchLabels: { b: "2", a: "1" }, matchExpressions: [{ key: "k", operator: "In", values: ["x", "y"] }] };
  const [event] = reconcile(observe({ maxUnavailable: 1, selector }, 1, 0, { unmanaged: true }));
  expect(event).toMatchObject({ type: "event", reason: "UnmanagedPods" });
  expect((event as { message: string }).message).toContain(
    "(selector: &LabelSelector{MatchLabels:map[string]string{a: 1,b: 2,},MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:k,Operator:In,Values:[x y],},},})",
  );
});
