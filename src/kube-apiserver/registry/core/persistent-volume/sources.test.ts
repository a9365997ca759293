import { expect, test } from "vitest";
import type { PersistentVolume } from "#api/generated/core/v1.ts";
import { validatePersistentVolume, validatePersistentVolumeUpdate } from "./validation.ts";

const iscsi = { targetPortal: "1.2.3.4:3260", iqn: "iqn.2001-04.com.example:disk", lun: 0 };
const volume = (spec: object, name = "v"): PersistentVolume => ({
  metadata: { name },
  spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], ...spec },
});
const told = (object: PersistentVolume): string[] =>
  validatePersistentVolume(object).map(({ field, message }) => `${field}: ${message}`);
const TOO_LONG =
  "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.";

test.each<[string, object, string[]]>([
  ["a good iSCSI disk", { iscsi: { ...iscsi, chapAuthSession: true, secretRef: { name: "s" } } }, []],
  ["a secret without name", { iscsi: { ...iscsi, secretRef: {} } }, ["spec.iscsi.secretRef.name: Required value"]],
  ["no secret where one is needed", { iscsi: { ...iscsi, chapAuthDiscovery: true } }, ["spec.iscsi.secretRef: Required value"]],
  [
    "names of no iSCSI format",
    { iscsi: { ...iscsi, iqn: "x", initiatorName: "y" } },
    [
      'spec.iscsi.iqn: Invalid value: "x": must be valid format',
      'spec.iscsi.initiatorname: Invalid value: "y": must be valid format',
    ],
  ],
  [
    "a portal too long for the interface's name",
    { iscsi: { ...iscsi, targetPortal: "p".repeat(63), initiatorName: iscsi.iqn } },
    [`spec.iscsi.targetportal: Invalid value: "${"p".repeat(63)}": ${TOO_LONG}`],
  ],
  ["a Ceph file system nowhere", { cephfs: {} }, ["spec.cephfs.monitors: Required value"]],
  ["a Google disk without name", { gcePersistentDisk: {} }, ["spec.persistentDisk.pdName: Required value"]],
  [
    "a secret of OpenStack somewhere",
    { cinder: { volumeID: "a", secretRef: { name: "s" } } },
    ["spec.cinder.secretRef.namespace: Required value"],
  ],
  [
    "a secret of StorageOS that is none",
    { storageos: { volumeName: "a", secretRef: {} } },
    ["spec.storageos.secretRef.name: Required value", "spec.storageos.secretRef.namespace: Required value"],
  ],
  [
    "endpoints in no namespace",
    { glusterfs: { endpoints: "e", path: "p", endpointsNamespace: "" } },
    ['spec.glusterfs.endpointsNamespace: Invalid value: "": if the endpointnamespace is set, it must be a valid namespace name'],
  ],
  [
    "dots in the namespace of a driver's secret",
    { csi: { driver: "d", volumeHandle: "h", nodeExpandSecretRef: { name: "s", namespace: "a.b" } } },
    ['spec.csi.nodeExpandSecretRef.namespace: Invalid value: "a.b": must not contain dots'],
  ],
])("%s", (_, spec, want) => {
  expect(told(volume(spec))).toEqual(want);
});

test("a class of attributes stays", () => {
  const csi = { driver: "d", volumeHandle: "h" };
  const errors = validatePersistentVolumeUpdate(volume({ csi }), volume({ csi, volumeAttributesClassName: "gold" }));
  expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual([
    "spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is forbidden",
  ]);
});
