import { expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { concernsNode } from "./pod-change.ts";

const POD: Pod = {
  metadata: { name: "a", generation: 1, labels: { app: "a" }, annotations: { note: "x" } },
  spec: { containers: [{ name: "main", image: "app:1" }] },
  status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
};
const GATED: Pod = { ...POD, spec: { ...POD.spec, readinessGates: [{ conditionType: "example.com/open" }] } };
const COUNTLESS: Pod = { ...POD, metadata: { name: "a" } };
const otherImage = { containers: [{ name: "main", image: "app:2" }] };

test.each<[string, Pod, Pod, boolean]>([
  ["another revision", POD, { ...POD, metadata: { ...POD.metadata, resourceVersion: "2" } }, false],
  ["the same, made anew", POD, structuredClone(POD), false],
  ["a status", POD, { ...POD, status: { phase: "Pending" } }, false],
  ["an end", POD, { ...POD, status: { phase: "Failed" } }, true],
  ["a condition, where a gate waits for one", GATED, { ...GATED, status: { phase: "Running" } }, true],
  ["a label", POD, { ...POD, metadata: { ...POD.metadata, labels: { app: "b" } } }, true],
  ["an annotation that went", POD, { ...POD, metadata: { ...POD.metadata, annotations: {} } }, true],
  ["a deletion", POD, { ...POD, metadata: { ...POD.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } }, true],
  ["less grace", POD, { ...POD, metadata: { ...POD.metadata, deletionGracePeriodSeconds: 0 } }, true],
  ["a spec", POD, { ...POD, metadata: { ...POD.metadata, generation: 2 }, spec: otherImage }, true],
  ["a spec whose changes nobody counts", COUNTLESS, { ...COUNTLESS, spec: otherImage }, true],
  ["the same spec, whose changes nobody counts", COUNTLESS, structuredClone(COUNTLESS), false],
])("%s", (_, before, after, expected) => {
  expect(concernsNode(before, after)).toBe(expected);
});
