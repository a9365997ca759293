import { expect, test } from "vitest";
import type { PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import type { FieldError } from "#apimachinery/validation/field-error.ts";
import { validateClaim, validateClaimUpdate } from "../persistent-volume-claim/validation.ts";
import { formatAccessModes } from "./access-modes.ts";
import { validatePersistentVolume } from "./validation.ts";
import { persistentVolumeWarnings } from "./warnings.ts";

const fields = (errors: readonly FieldError[]): string[] =>
  errors.map(({ field, type }) => `${field} ${type.replace("FieldValue", "")}`);
const volume = (spec: object): PersistentVolume => ({
  metadata: { name: "v" },
  spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], nfs: { server: "s", path: "/" }, ...spec },
});

test.each<[string, object, string[]]>([
  ["one source", {}, []],
  ["no source", { nfs: undefined }, ["spec Required"]],
  ["two sources", { hostPath: { path: "/a", type: "" } }, ["spec.nfs Forbidden"]],
  ["no modes", { accessModes: [] }, ["spec.accessModes Required"]],
  ["one pod only, and others", { accessModes: ["ReadWriteOncePod", "ReadWriteOnce"] }, ["spec.accessModes Forbidden"]],
  ["no size", { capacity: {} }, ["spec.capacity Required", "spec.capacity NotSupported"]],
  ["an unknown policy", { persistentVolumeReclaimPolicy: "Burn" }, ["spec.persistentVolumeReclaimPolicy NotSupported"]],
  [
    "a root that would be wiped",
    { nfs: undefined, hostPath: { path: "/./", type: "" }, persistentVolumeReclaimPolicy: "Recycle" },
    ["spec.persistentVolumeReclaimPolicy Forbidden"],
  ],
  ["a disk of one node that names none", { nfs: undefined, local: { path: "/d" } }, ["spec.nodeAffinity Required"]],
])("a volume with %s", (_, spec, want) => {
  expect(fields(validatePersistentVolume(volume(spec)))).toEqual(want);
});

test("old ways of a volume are warned of", () => {
  expect(persistentVolumeWarnings(volume({ nfs: undefined, rbd: {}, capacity: { storage: "1500m" } }))).toEqual([
    "spec.rbd: deprecated in v1.28, non-functional in v1.31+",
  ]);
});

test("access modes are shown short, in one order", () => {
  expect([formatAccessModes(["ReadWriteMany", "ReadWriteOnce"]), formatAccessModes(undefined)]).toEqual(["RWO,RWX", ""]);
});

const claim = (spec: object, phase = "Bound"): PersistentVolumeClaim => ({
  metadata: { name: "c" },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "2Gi" } }, volumeMode: "Filesystem", ...spec },
  status: { phase, capacity: { storage: "2Gi" } },
});
const size = (storage: string): object => ({ resources: { requests: { storage } } });

test.each<[string, object, string[]]>([
  ["modes and a size", {}, []],
  ["no modes", { accessModes: [] }, ["spec.accessModes Required"]],
  ["no size", { resources: {} }, ["spec.resources[storage] Required"]],
  ["nothing asked for", size("0"), ["spec.resources[storage] Invalid"]],
])("a claim with %s", (_, spec, want) => {
  expect(fields(validateClaim(claim(spec)))).toEqual(want);
});

test.each<[string, PersistentVolumeClaim, PersistentVolumeClaim, string[]]>([
  ["binds", claim({ volumeName: "v" }, "Pending"), claim({}, "Pending"), []],
  ["grows", claim(size("3Gi")), claim({}), []],
  ["grows unbound", claim(size("3Gi"), "Pending"), claim({}, "Pending"), ["spec Forbidden"]],
  ["shrinks", claim(size("1Gi")), claim({}), ["spec.resources.requests.storage Forbidden"]],
  ["goes elsewhere", claim({ volumeName: "w" }), claim({ volumeName: "v" }), ["spec Forbidden"]],
])("a claim that %s", (_, now, old, want) => {
  expect(fields(validateClaimUpdate(now, old))).toEqual(want);
});
