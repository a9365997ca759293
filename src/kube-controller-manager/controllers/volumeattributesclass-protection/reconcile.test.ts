import { expect, test } from "vitest";
import { classesOfClaim, classesOfVolume, reconcile, VAC_FINALIZER } from "./reconcile.ts";

const deletionTimestamp = "2026-01-01T00:00:00Z";
const finalizers = [VAC_FINALIZER];

test.each([
  { name: "a class without finalizer gets it", metadata: {}, isUsed: false, want: ["protect"] },
  { name: "one that has it is left alone", metadata: { finalizers }, isUsed: true, want: [] },
  { name: "one that is used stays", metadata: { finalizers, deletionTimestamp }, isUsed: true, want: [] },
  { name: "another goes", metadata: { finalizers, deletionTimestamp }, isUsed: false, want: ["letGo"] },
  { name: "nothing holds one without it", metadata: { deletionTimestamp }, isUsed: false, want: [] },
])("$name", ({ metadata, isUsed, want }) => {
  const attributes = { metadata: { name: "gold", ...metadata }, driverName: "d" };
  expect(reconcile({ attributes, isUsed }).map(({ type }) => type)).toEqual(want);
});

test("a claim uses the classes that it wants, has, and is changed to", () => {
  const status = {
    currentVolumeAttributesClassName: "silver",
    modifyVolumeStatus: { targetVolumeAttributesClassName: "gold", status: "Pending" },
  };
  expect(classesOfClaim({ metadata: {}, spec: { volumeAttributesClassName: "gold" }, status })).toEqual(["gold", "silver"]);
  expect(classesOfClaim({ metadata: {}, spec: { volumeAttributesClassName: "" } })).toEqual([]);
});

test.each([
  [{ volumeAttributesClassName: "gold" }, ["gold"]],
  [{ volumeAttributesClassName: "" }, []],
  [{}, []],
])("a volume of %j uses %j", (spec, want) => {
  expect(classesOfVolume({ metadata: {}, spec })).toEqual(want);
});
