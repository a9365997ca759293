import { expect, test } from "vitest";
import type { PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import type { FieldError } from "#apimachinery/validation/field-error.ts";
import { dropUnsupportedDataSource } from "./data-source.ts";
import { validateClaimStatus, validateClaimUpdate } from "./validation.ts";

const BETA_CLASS = "volume.beta.kubernetes.io/storage-class";
const told = (errors: readonly FieldError[]): string[] =>
  errors.map(({ field, message }) => `${field}: ${message.split("\n", 1)[0]}`);
const claim = (spec: object, status: object = {}, annotations: Record<string, string> = {}): PersistentVolumeClaim => ({
  metadata: { name: "c", annotations },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "2Gi" } }, volumeMode: "Filesystem", ...spec },
  status: { phase: "Bound", capacity: { storage: "2Gi" }, ...status },
});
const CHANGED =
  "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
const gold = { volumeAttributesClassName: "gold" };
const isGold = { currentVolumeAttributesClassName: "gold" };

test.each<[string, PersistentVolumeClaim, PersistentVolumeClaim, string[]]>([
  ["a first class", claim({ storageClassName: "a" }), claim({}), []],
  ["another class", claim({ storageClassName: "b" }), claim({ storageClassName: "a" }), [CHANGED]],
  ["the class of the annotation", claim({ storageClassName: "a" }), claim({}, {}, { [BETA_CLASS]: "a" }), []],
  [
    "a first class and another annotation",
    claim({ storageClassName: "a" }, {}, { [BETA_CLASS]: "b" }),
    claim({}, {}, { [BETA_CLASS]: "a" }),
    [`metadata.annotations.${BETA_CLASS}: Invalid value: "b": field is immutable`],
  ],
  ["a class of attributes", claim(gold), claim({}), []],
  [
    "no class of attributes after one",
    claim({}, isGold),
    claim(gold, isGold),
    [
      "spec.volumeAttributesClassName: Forbidden: update to nil is forbidden when status.currentVolumeAttributesClassName is not nil",
    ],
  ],
  [
    "an empty class of attributes",
    claim({ volumeAttributesClassName: "" }, isGold),
    claim(gold, isGold),
    [
      "spec.volumeAttributesClassName: Forbidden: update to empty string is forbidden when status.currentVolumeAttributesClassName is not nil",
    ],
  ],
  [
    "a selector that was always wrong",
    claim({ selector: { matchExpressions: [{ key: "a", operator: "In", values: ["-"] }] } }),
    claim({ selector: { matchExpressions: [{ key: "a", operator: "In", values: ["-"] }] } }),
    [],
  ],
])("%s", (_, now, old, want) => {
  expect(told(validateClaimUpdate(now, old))).toEqual(want);
});

const STATUSES =
  '"ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"';

test.each<[string, object, string[]]>([
  ["a good one", { allocatedResources: { storage: "3Gi" }, allocatedResourceStatuses: { storage: "NodeResizePending" } }, []],
  [
    "less than nothing",
    { allocatedResources: { storage: "-1" } },
    ["status.allocatedResources[storage]: Invalid value: -1: must be a valid resource quantity"],
  ],
  [
    "a resource that claims have not",
    { allocatedResources: { cpu: "1" } },
    ['status.allocatedResources: Unsupported value: "cpu": supported values: "storage"'],
  ],
  [
    "an unknown step",
    { allocatedResourceStatuses: { "example.com/x": "Soon" } },
    [
      `status.allocatedResourceStatuses: Unsupported value: "example.com/x": supported values: ${STATUSES.split(", ").sort().join(", ")}`,
    ],
  ],
])("a status of %s", (_, status, want) => {
  expect(told(validateClaimStatus(claim({}, status)))).toEqual(want);
});

const pod = { kind: "Pod", name: "p" };
const foreign = { ...pod, namespace: "other" };

test.each<[string, object, object | undefined, object]>([
  ["a source that fills nothing", { dataSource: pod }, undefined, {}],
  ["a source beside a reference", { dataSource: pod, dataSourceRef: pod }, undefined, { dataSource: pod, dataSourceRef: pod }],
  ["a reference into another namespace", { dataSourceRef: foreign }, undefined, {}],
  ["another namespace of a stored reference", { dataSourceRef: foreign }, { dataSourceRef: pod }, { dataSourceRef: foreign }],
])("what stays of %s", (_, now, old, want) => {
  const spec = structuredClone(now);
  dropUnsupportedDataSource(spec, old);
  expect(spec).toEqual(want);
});
