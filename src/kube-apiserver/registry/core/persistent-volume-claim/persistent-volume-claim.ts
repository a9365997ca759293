import type { PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { Column, ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { formatAccessModes, storageClassOf } from "../persistent-volume/access-modes.ts";
import { betaClassWarnings } from "../persistent-volume/warnings.ts";
import { roundedUp } from "../pod/defaults.ts";
import { claimAmountWarnings } from "../pod/warnings-amounts.ts";
import { dropUnsupportedDataSource, normalizeDataSources } from "./data-source.ts";
import { validateClaim, validateClaimStatus, validateClaimUpdate } from "./validation.ts";

const column = columnsOf<PersistentVolumeClaim>("/persistentvolumeclaims");

const columns: readonly Column<PersistentVolumeClaim>[] = [
  nameColumn,
  column("Status", "string", (o) => (o.metadata.deletionTimestamp ? "Terminating" : (o.status?.phase ?? ""))),
  column("Volume", "string", (o) => o.spec?.volumeName ?? ""),
  column("Capacity", "string", (o) => (o.spec?.volumeName ? (o.status?.capacity?.storage ?? "0") : "")),
  column("Access Modes", "string", (o) => (o.spec?.volumeName ? formatAccessModes(o.status?.accessModes) : "")),
  column("StorageClass", "string", (o) => storageClassOf(o, o.spec?.storageClassName)),
  column("VolumeAttributesClass", "string", (o) => o.spec?.volumeAttributesClassName ?? "<unset>"),
  ageColumn,
  column("VolumeMode", "string", (o) => o.spec?.volumeMode ?? "<unset>", { priority: 1 }),
];

/** Persistent volume claims. */
export const persistentVolumeClaims: ResourceDefinition<PersistentVolumeClaim> = {
  group: "",
  version: "v1",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
  singular: "persistentvolumeclaim",
  shortNames: ["pvc"],
  scope: "Namespaced",
  storagePrefix: "persistentvolumeclaims",
  columns,
  strategy: {
    returnDeletedObject: true,
    setDefaults,
    prepareForCreate: (claim) => {
      claim.status = { phase: "Pending" };
      claim.spec ??= {};
      dropUnsupportedDataSource(claim.spec, undefined);
      normalizeDataSources(claim.spec);
    },
    prepareForUpdate: (claim, old) => {
      claim.spec ??= {};
      dropUnsupportedDataSource(claim.spec, old.spec);
      normalizeDataSources(claim.spec);
    },
    validate: validateClaim,
    validateUpdate: validateClaimUpdate,
    warningsOnCreate: warnings,
    warningsOnUpdate: warnings,
  },
  subresources: { status: { type: "status", validateUpdate: validateClaimStatus } },
};

function setDefaults(claim: Draft<PersistentVolumeClaim>): void {
  const { spec, status } = claim;
  if (spec) {
    spec.volumeMode ??= "Filesystem";
    if (spec.resources?.limits) spec.resources.limits = roundedUp(spec.resources.limits);
    if (spec.resources?.requests) spec.resources.requests = roundedUp(spec.resources.requests);
  }
  if (status?.capacity) status.capacity = roundedUp(status.capacity);
}

function warnings(claim: PersistentVolumeClaim): string[] {
  return [...betaClassWarnings(claim.metadata.annotations), ...claimAmountWarnings(claim.spec, FieldPath.of("spec"))];
}
