import { describe, expect, test } from "vitest";
import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeSpec } from "#api/generated/core/v1.ts";
import { isWorthALook, reconcile, STORAGE_RESIZER } from "./reconcile.ts";

const claim = (requested: string, actual: string, annotations: Record<string, string> = {}): PersistentVolumeClaim => ({
  metadata: { namespace: "ns", name: "c", uid: "u1", annotations },
  spec: { volumeName: "v", resources: { requests: { storage: requested } } },
  status: { phase: "Bound", capacity: { storage: actual } },
});
const volume = (spec: Partial<PersistentVolumeSpec> = {}, annotations: Record<string, string> = {}): PersistentVolume => ({
  metadata: { name: "v", annotations },
  spec: { claimRef: { namespace: "ns", name: "c", uid: "u1" }, ...spec },
});
const CSI = { csi: { driver: "x.example.com", volumeHandle: "h" } };
const EBS = { awsElasticBlockStore: { volumeID: "vol-1" } };
const WAITING = { type: "event", message: "waiting for an external controller to expand this PVC" };
const MIGRATED = {
  type: "event",
  message: "CSI migration enabled for kubernetes.io/aws-ebs; waiting for external resizer to expand the pvc",
};

describe("reconcile", () => {
  test.each([
    ["asks for more", { claim: claim("2Gi", "1Gi"), volume: volume(CSI) }, [WAITING]],
    ["has what it asks for", { claim: claim("1Gi", "1Gi"), volume: volume(CSI) }, []],
    ["asks for the same in other words", { claim: claim("1024Mi", "1Gi"), volume: volume(CSI) }, []],
    [
      "its file system lags behind",
      { claim: claim("1Gi", "1Gi"), volume: volume(CSI, { "volume.alpha.kubernetes.io/pre-resize-capacity": "1Gi" }) },
      [WAITING],
    ],
    [
      "of a source whose driver moved out",
      { claim: claim("2Gi", "1Gi"), volume: volume(EBS) },
      [MIGRATED, { type: "setResizer", driver: "ebs.csi.aws.com" }],
    ],
    [
      "names its resizer already",
      { claim: claim("2Gi", "1Gi", { [STORAGE_RESIZER]: "ebs.csi.aws.com" }), volume: volume(EBS) },
      [MIGRATED],
    ],
    [
      "has no volume",
      { claim: claim("2Gi", "1Gi"), volume: undefined },
      [{ type: "fail", message: expect.stringMatching(/ v$/) }],
    ],
    [
      "has another's volume",
      { claim: claim("2Gi", "1Gi"), volume: volume({ claimRef: { namespace: "ns", name: "c", uid: "u2" } }) },
      [{ type: "fail", message: "persistent Volume is not bound to PVC being updated : ns/c" }],
    ],
  ])("a claim that %s", (_name, observed, wanted) => {
    expect(reconcile(observed)).toEqual(wanted);
  });
});

describe("isWorthALook", () => {
  const pending: PersistentVolumeClaim = { ...claim("2Gi", "1Gi"), status: { phase: "Pending" } };
  test.each([
    ["a bound claim seen first", undefined, claim("1Gi", "1Gi"), true],
    ["a pending claim", undefined, pending, false],
    ["a greater request", claim("1Gi", "1Gi"), claim("2Gi", "1Gi"), true],
    ["a greater capacity", claim("2Gi", "1Gi"), claim("2Gi", "2Gi"), true],
    ["a smaller request", claim("3Gi", "1Gi"), claim("2Gi", "1Gi"), false],
    ["no change", claim("2Gi", "1Gi"), claim("2Gi", "1Gi"), false],
  ])("%s", (_name, old, now, wanted) => {
    expect(isWorthALook(old, now)).toBe(wanted);
  });
});
