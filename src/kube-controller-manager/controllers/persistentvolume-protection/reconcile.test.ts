import { expect, test } from "vitest";
import { PV_FINALIZER, reconcile } from "./reconcile.ts";

const deletionTimestamp = "2026-01-01T00:00:00Z";

test.each([
  { name: "a volume without finalizer gets it", metadata: {}, phase: "Available", want: ["protect"] },
  { name: "one that has it is left alone", metadata: { finalizers: [PV_FINALIZER] }, phase: "Available", want: [] },
  { name: "a bound one stays", metadata: { finalizers: [PV_FINALIZER], deletionTimestamp }, phase: "Bound", want: [] },
  { name: "another goes", metadata: { finalizers: [PV_FINALIZER], deletionTimestamp }, phase: "Released", want: ["letGo"] },
  { name: "nothing holds one without it", metadata: { deletionTimestamp }, phase: "Released", want: [] },
])("$name", ({ metadata, phase, want }) => {
  expect(reconcile({ metadata, spec: {}, status: { phase } }).map(({ type }) => type)).toEqual(want);
});
