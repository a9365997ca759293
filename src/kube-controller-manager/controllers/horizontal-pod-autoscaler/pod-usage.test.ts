import { describe, expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import { type PodMetrics, replicasForAverage, replicasForUtilization, type UsageInput } from "./pod-usage.ts";

const NOW = 1_700_000_000_000;
const ago = (seconds: number): string => formatTime(NOW - seconds * 1000);

interface Shape {
  readonly cpu?: string;
  readonly phase?: string;
  readonly ready?: boolean;
  readonly startedSecondsAgo?: number;
  readonly deleted?: boolean;
}

function pod(
  name: string,
  { cpu = "100m", phase = "Running", ready = true, startedSecondsAgo = 3600, deleted }: Shape = {},
): Pod {
  return {
    metadata: { name, ...(deleted ? { deletionTimestamp: ago(1) } : {}) },
    spec: { containers: [{ name: "c", resources: cpu === "" ? {} : { requests: { cpu } } }] },
    status: {
      phase,
      startTime: ago(startedSecondsAgo),
      conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: ago(startedSecondsAgo - 5) }],
    },
  };
}

function input(pods: readonly Pod[], values: Readonly<Record<string, number>>, resource: string | undefined = "cpu"): UsageInput {
  const metrics: PodMetrics = new Map(
    Object.entries(values).map(([name, value]) => [name, { value, atMs: NOW - 10_000, windowMs: 30_000 }]),
  );
  return { current: pods.length, pods, metrics, resource, tolerances: { up: 0.1, down: 0.1 }, nowMs: NOW };
}

describe("replicasForUtilization", () => {
  const three = [pod("a"), pod("b"), pod("c")];
  test.each<[string, readonly Pod[], Record<string, number>, { replicas: number; utilization: number }]>([
    ["is at its target", three, { a: 50, b: 50, c: 50 }, { replicas: 3, utilization: 50 }],
    ["is within the tolerance", three, { a: 55, b: 55, c: 54 }, { replicas: 3, utilization: 54 }],
    ["is twice its target", three, { a: 100, b: 100, c: 100 }, { replicas: 6, utilization: 100 }],
    ["is far below its target", three, { a: 10, b: 10, c: 10 }, { replicas: 1, utilization: 10 }],
    ["counts pods without a value as busy when shrinking", three, { a: 10, b: 10 }, { replicas: 3, utilization: 10 }],
    ["counts pods without a value as idle when growing", three, { a: 100, b: 100 }, { replicas: 4, utilization: 100 }],
    [
      "counts pending pods as idle when growing",
      [pod("a"), pod("b", { phase: "Pending" })],
      { a: 200 },
      { replicas: 4, utilization: 200 },
    ],
    [
      "leaves deleted and failed pods out",
      [pod("a"), pod("b", { deleted: true }), pod("d", { phase: "Failed" })],
      { a: 100, b: 9, d: 9 },
      { replicas: 2, utilization: 100 },
    ],
    [
      "leaves a pod out that just started",
      [pod("a"), pod("b", { startedSecondsAgo: 20 })],
      { a: 20, b: 999 },
      { replicas: 1, utilization: 20 },
    ],
  ])("usage %s", (_name, pods, values, wanted) => {
    expect(replicasForUtilization(input(pods, values), 50, undefined)).toMatchObject(wanted);
  });

  test.each<[string, readonly Pod[], Record<string, number>, string | undefined, string]>([
    ["there is no pod", [], { a: 1 }, undefined, "no pods returned by selector while calculating replica count"],
    [
      "no pod is ready",
      [pod("a", { phase: "Pending" })],
      { a: 1 },
      undefined,
      "did not receive metrics for targeted pods (pods might be unready)",
    ],
    ["a request is missing", [pod("a", { cpu: "" })], { a: 1 }, undefined, "missing request for cpu in container c of Pod a"],
    ["a container is missing", [pod("a")], { a: 1 }, "z", "container z not found in Pod a"],
    ["values are of other pods", [pod("a")], { z: 1 }, undefined, "no metrics returned matched known pods"],
  ])("says so when %s", (_name, pods, values, container, message) => {
    expect(() => replicasForUtilization(input(pods, values), 50, container)).toThrow(message);
  });

  test("pod-level requests win over those of containers", () => {
    const big: Pod = { ...pod("a", { cpu: "" }), spec: { containers: [{ name: "c" }], resources: { requests: { cpu: "1" } } } };
    expect(replicasForUtilization(input([big], { a: 1000 }), 50, undefined)).toMatchObject({ replicas: 2, utilization: 100 });
  });
});

describe("replicasForAverage", () => {
  const two = [pod("a"), pod("b")];
  test.each<[string, Record<string, number>, number]>([
    ["on target", { a: 1000, b: 1000 }, 2],
    ["above it", { a: 3000, b: 2000 }, 5],
    ["below it", { a: 200, b: 400 }, 1],
    ["below it, one value missing", { a: 200 }, 2],
  ])("%s", (_name, values, replicas) => {
    expect(replicasForAverage(input(two, values, undefined), 1000).replicas).toBe(replicas);
  });
});
