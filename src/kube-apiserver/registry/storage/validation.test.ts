import { expect, test } from "vitest";
import type { CSIDriver, CSINode, StorageClass, VolumeAttachment, VolumeAttributesClass } from "#api/generated/storage/v1.ts";
import type { FieldError } from "#apimachinery/validation/field-error.ts";
import { validateCsiDriver } from "./csi-driver/validation.ts";
import { validateCsiNode, validateCsiNodeUpdate } from "./csi-node/validation.ts";
import { validateStorageClass, validateStorageClassUpdate } from "./storage-class/validation.ts";
import { validateVolumeAttachment, validateVolumeAttachmentStatus } from "./volume-attachment/validation.ts";
import { validateVolumeAttributesClassUpdate } from "./volume-attributes-class/validation.ts";

const fields = (errors: readonly FieldError[]): string[] =>
  errors.map(({ field, type }) => `${field} ${type.replace("FieldValue", "")}`);
const GOOD = { metadata: {}, provisioner: "a.b/c", reclaimPolicy: "Delete", volumeBindingMode: "Immediate" };
const storageClass = (change: object): StorageClass => ({ ...GOOD, ...change }) as StorageClass;
const term = (...values: string[]): object => ({ matchLabelExpressions: [{ key: "zone", values }] });

const classes: [string, StorageClass, string[]][] = [
  ["what it needs", storageClass({}), []],
  ["no provisioner", storageClass({ provisioner: "" }), ["provisioner Required"]],
  ["an unknown policy", storageClass({ reclaimPolicy: "x" }), ["reclaimPolicy NotSupported"]],
  ["a parameter without a name", storageClass({ parameters: { "": "x" } }), ["parameters Invalid"]],
  [
    "a term twice",
    storageClass({ allowedTopologies: [term("a"), term("a")] }),
    ["allowedTopologies[1].matchLabelExpressions Duplicate"],
  ],
  ["an empty term", storageClass({ allowedTopologies: [{}] }), ["allowedTopologies[0].matchLabelExpressions Duplicate"]],
];
test.each(classes)("storage class with %s", (_name, object, want) => {
  expect(fields(validateStorageClass(object))).toEqual(want);
});
test("the parameters of a class cannot change", () => {
  expect(fields(validateStorageClassUpdate(storageClass({ parameters: { a: "b" } }), storageClass({})))).toEqual([
    "parameters Invalid",
  ]);
});

test("a driver's tokens live for ten minutes at least", () => {
  const spec = {
    attachRequired: true,
    podInfoOnMount: false,
    storageCapacity: false,
    seLinuxMount: false,
    fsGroupPolicy: "File",
    tokenRequests: [{ audience: "a", expirationSeconds: 599 }, { audience: "a" }],
  };
  expect(fields(validateCsiDriver({ metadata: {}, spec } as CSIDriver))).toEqual([
    "spec.tokenRequests[0].expirationSeconds Invalid",
    "spec.tokenRequests[1].audience Duplicate",
  ]);
});

test("drivers of a node come and go, but do not change", () => {
  const node = (...drivers: object[]): CSINode => ({ metadata: {}, spec: { drivers } }) as CSINode;
  const driver = { name: "a", nodeID: "n" };
  expect(fields(validateCsiNode(node(driver, driver)))).toEqual(["spec.drivers[1].name Duplicate"]);
  expect(validateCsiNodeUpdate(node(), node(driver))).toEqual([]);
  expect(fields(validateCsiNodeUpdate(node({ ...driver, nodeID: "m" }), node(driver)))).toEqual(["spec.drivers Invalid"]);
});

test("an attachment has one source", () => {
  const attachment = (source: object): VolumeAttachment =>
    ({ metadata: {}, spec: { attacher: "a", nodeName: "n", source } }) as VolumeAttachment;
  expect(validateVolumeAttachment(attachment({ persistentVolumeName: "pv" }))).toEqual([]);
  expect(fields(validateVolumeAttachment(attachment({})))).toEqual(["spec.source Required"]);
  expect(fields(validateVolumeAttachment(attachment({ persistentVolumeName: "pv", inlineVolumeSpec: {} })))).toEqual([
    "spec.source Forbidden",
  ]);
});

test("an attributes class never changes", () => {
  const vac = (driverName: string): VolumeAttributesClass =>
    ({ metadata: {}, driverName, parameters: { a: "b" } }) as VolumeAttributesClass;
  expect(fields(validateVolumeAttributesClassUpdate(vac("x"), vac("y")))).toEqual(["driverName Forbidden"]);
});

const at = "spec.source.inlineVolumeSpec";
const csi = { driver: "d", volumeHandle: "h" };
test.each<[string, object, string[]]>([
  ["what it needs", { accessModes: ["ReadWriteOnce"], csi }, []],
  ["nothing", {}, [`${at}.csi Required`, `${at}.accessModes Required`, `${at} Required`]],
  [
    "what is of claims",
    {
      accessModes: ["ReadWriteOncePod", "ReadOnlyMany"],
      capacity: { storage: "1" },
      claimRef: {},
      csi,
      nodeAffinity: {},
      persistentVolumeReclaimPolicy: "Delete",
      storageClassName: "s",
      volumeMode: "Block",
    },
    [
      "claimRef",
      "capacity",
      "accessModes",
      "persistentVolumeReclaimPolicy",
      "nodeAffinity",
      "storageClassName",
      "volumeMode",
    ].map((field) => `${at}.${field} Forbidden`),
  ],
])("an attached volume of no object with %s", (_name, inlineVolumeSpec, want) => {
  const spec = { attacher: "a", nodeName: "n", source: { inlineVolumeSpec } };
  expect(fields(validateVolumeAttachment({ metadata: {}, spec } as unknown as VolumeAttachment))).toEqual(want);
});

test("what an attacher says is no larger than anybody reads", () => {
  const status = {
    attached: false,
    attachmentMetadata: { a: "x".repeat(2 ** 18) },
    attachError: { message: "x".repeat(1025), errorCode: -1 },
  };
  const errors = validateVolumeAttachmentStatus({ metadata: {}, status } as unknown as VolumeAttachment);
  expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual([
    "status.attachmentMetadata: Too long: may not be more than 262144 bytes",
    "status.attachError.message: Too long: may not be more than 262144 bytes",
    "status.attachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, inclusive",
  ]);
});
