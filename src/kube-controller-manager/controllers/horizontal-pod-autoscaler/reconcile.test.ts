import { describe, expect, test } from "vitest";
import type { HorizontalPodAutoscaler, MetricSpec } from "#api/generated/autoscaling/v2.ts";
import type { Pod } from "#api/generated/core/v1.ts";
import { NO_HISTORY } from "./history.ts";
import { type Action, afterRescale, type Observed, type Rescale, reconcile } from "./reconcile.ts";

const NOW = Date.UTC(2026, 0, 1);
const EXTERNAL: MetricSpec = {
  type: "External",
  external: { metric: { name: "queue" }, target: { type: "AverageValue", averageValue: "10" } },
};
const CPU: MetricSpec = { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } };
const PODS: readonly Pod[] = [{ metadata: { name: "a" }, spec: { containers: [] } }];

function observed(replicas: number, more: Partial<Observed> = {}, metrics: readonly MetricSpec[] = [EXTERNAL]): Observed {
  const autoscaler: HorizontalPodAutoscaler = {
    metadata: { namespace: "ns", name: "h" },
    spec: { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" }, minReplicas: 2, maxReplicas: 5, metrics },
  };
  return {
    key: "ns/h",
    autoscaler,
    target: {
      id: { group: "apps", version: "v1", resource: "deployments" },
      scale: { metadata: { name: "web" }, spec: { replicas }, status: { replicas, selector: "app=w" } },
    },
    measured: undefined,
    history: NO_HISTORY,
    nowMs: NOW,
    syncMs: 15_000,
    ...more,
  };
}

const only = (actions: readonly { readonly type: string }[]): readonly Action[] =>
  (actions as readonly Action[]).filter(({ type }) => type !== "remember" && (type as string) !== "requeue");

describe("reconcile", () => {
  test.each<[string, Observed, number, string]>([
    ["too few", observed(1), 2, "Current number of replicas below Spec.MinReplicas"],
    ["too many", observed(9), 5, "Current number of replicas above Spec.MaxReplicas"],
    [
      "too few for their load",
      observed(2, { measured: { pods: PODS, readings: [40_000] } }),
      4,
      "external metric queue(nil) above target",
    ],
    ["too many for their load", observed(4, { measured: { pods: PODS, readings: [25_000] } }), 3, "All metrics below target"],
  ])("rescales where replicas are %s", (_name, given, replicas, reason) => {
    // Nothing has been remembered but what there is, which holds a scale-down back.
    const history = { ...NO_HISTORY, recommendations: [{ replicas, atMs: NOW - 1000 }] };
    expect(only(reconcile({ ...given, history }))).toMatchObject([{ type: "rescale", replicas, reason }]);
  });

  test("holds a scale-down back when it sees the autoscaler first", () => {
    const actions = only(reconcile(observed(4, { measured: { pods: PODS, readings: [25_000] } })));
    expect(actions).toMatchObject([{ type: "updateStatus", status: { currentReplicas: 4, desiredReplicas: 4 } }]);
    expect(JSON.stringify(actions)).toContain("ScaleDownStabilized");
  });

  test("says why a metric cannot be read", () => {
    const reading = new Error(
      "unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)",
    );
    const unable = `failed to get cpu utilization: unable to get metrics for resource cpu: ${reading.message}`;
    expect(only(reconcile(observed(2, { measured: { pods: PODS, readings: [reading] } }, [CPU])))).toMatchObject([
      { type: "event", level: "Warning", reason: "FailedGetResourceMetric", message: unable },
      {
        type: "updateStatus",
        status: {
          currentReplicas: 2,
          desiredReplicas: 0,
          currentMetrics: [{ type: "" }],
          conditions: [
            { type: "AbleToScale", status: "True", reason: "SucceededGetScale" },
            { type: "ScalingActive", status: "False", message: `the HPA was unable to compute the replica count: ${unable}` },
          ],
        },
      },
      {
        reason: "FailedComputeMetricsReplicas",
        message: `invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: ${unable}`,
      },
    ]);
  });

  test.each<[string, number, string]>([
    ["up", 40_000, "rescale"],
    ["not down", 20_000, "updateStatus"],
  ])("with a part of the metrics goes %s", (_name, reading, last) => {
    const readings = [new Error("no"), reading];
    const actions = only(reconcile(observed(3, { measured: { pods: PODS, readings } }, [CPU, EXTERNAL])));
    expect(actions.map(({ type }) => type)).toContain(last);
    expect(actions.some(({ type }) => type === "rescale")).toBe(last === "rescale");
  });

  test("leaves a target alone that is scaled to zero", () => {
    expect(only(reconcile(observed(0)))).toMatchObject([
      { type: "updateStatus", status: { desiredReplicas: 0, conditions: [{}, { reason: "ScalingDisabled" }] } },
    ]);
  });

  test("writes no status that says the same", () => {
    const [first] = only(reconcile(observed(0)));
    const status = first?.type === "updateStatus" ? first.status : undefined;
    const before = observed(0);
    const after = { ...before, nowMs: NOW + 60_000, autoscaler: { ...before.autoscaler, ...(status ? { status } : {}) } };
    expect(only(reconcile(after))).toEqual([]);
  });
});

describe("afterRescale", () => {
  const given = observed(1);
  const rescale = only(reconcile(given))[0] as Rescale;

  test("tells of success", () => {
    expect(only(afterRescale(given, rescale, NO_HISTORY, undefined))).toMatchObject([
      { reason: "SuccessfulRescale", message: "New size: 2; reason: Current number of replicas below Spec.MinReplicas" },
      {
        status: {
          currentReplicas: 1,
          desiredReplicas: 2,
          lastScaleTime: "2026-01-01T00:00:00Z",
          conditions: [{ reason: "SucceededRescale" }],
        },
      },
    ]);
  });

  test("tells of failure", () => {
    expect(only(afterRescale(given, rescale, NO_HISTORY, new Error("denied")))).toMatchObject([
      {
        reason: "FailedRescale",
        message: "New size: 2; reason: Current number of replicas below Spec.MinReplicas; error: denied",
      },
      { status: { currentReplicas: 1, desiredReplicas: 0, conditions: [{ status: "False", reason: "FailedUpdateScale" }] } },
    ]);
  });
});
