import { expect, test } from "vitest";
import type { Pod, PodStatus } from "#api/generated/core/v1.ts";
import { isPodActive, isPodAvailable, podAvailableInMs } from "./pod-conditions.ts";

const NOW = Date.parse("2026-01-01T00:01:00Z");
const pod = (status: PodStatus, deletionTimestamp?: string): Pod => ({
  metadata: { name: "p", ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) },
  spec: { containers: [] },
  status,
});
const ready = (status: string, lastTransitionTime?: string): PodStatus => ({
  conditions: [{ type: "Ready", status, ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }) }],
});

test.each<{ name: string; status: PodStatus; minReadySeconds: number; want: number | undefined }>([
  { name: "not ready", status: ready("False", "2026-01-01T00:00:00Z"), minReadySeconds: 0, want: undefined },
  { name: "no condition yet", status: {}, minReadySeconds: 0, want: undefined },
  { name: "ready is enough", status: ready("True"), minReadySeconds: 0, want: 0 },
  { name: "ready since nobody knows when", status: ready("True"), minReadySeconds: 1, want: undefined },
  { name: "ready for long", status: ready("True", "2026-01-01T00:00:50Z"), minReadySeconds: 10, want: 0 },
  { name: "ready too shortly", status: ready("True", "2026-01-01T00:00:50Z"), minReadySeconds: 15, want: 5000 },
])("available: $name", ({ status, minReadySeconds, want }) => {
  expect(podAvailableInMs(pod(status), minReadySeconds, NOW)).toBe(want);
  expect(isPodAvailable(pod(status), minReadySeconds, NOW)).toBe(want === 0);
});

test.each<[string, Pod, boolean]>([
  ["running", pod({ phase: "Running" }), true],
  ["done", pod({ phase: "Succeeded" }), false],
  ["failed", pod({ phase: "Failed" }), false],
  ["being deleted", pod({ phase: "Running" }, "2026-01-01T00:00:00Z"), false],
])("a replica: %s", (_, one, want) => {
  expect(isPodActive(one)).toBe(want);
});
