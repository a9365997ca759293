import type { PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { parseQuantity, quantityCompare, quantityValue } from "#apimachinery/resource/quantity.ts";
import { type FieldError, forbidden, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateImmutableField } from "#apimachinery/validation/object-meta.ts";
import { toInternal } from "../pod/internal-form.ts";
import { jsonDiff } from "../pod/unified-diff.ts";
import { validateClaimSpec } from "../pod/validation/claim-template.ts";

const BETA_CLASS = "volume.beta.kubernetes.io/storage-class";
const path = FieldPath.of("spec");

/** Upstream's `ValidatePersistentVolumeClaim` without the metadata rules. */
export function validateClaim(claim: PersistentVolumeClaim): FieldError[] {
  return validateClaimSpec(claim.spec ?? {}, path);
}

/** What upstream's strategy checks on an update. */
export function validateClaimUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  return [...validateClaim(claim), ...validateChange(claim, old)];
}

/** A claim's spec is fixed, but for binding, growing, and the volume attributes class of bound claims. */
function validateChange(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const errors: FieldError[] = [];
  const after = deepCopy(claim.spec ?? {});
  const before = deepCopy(old.spec ?? {});
  if (!before.volumeName) {
    if (after.volumeName === undefined) delete before.volumeName;
    else before.volumeName = after.volumeName;
  }
  const classBefore = old.metadata.annotations?.[BETA_CLASS];
  const classAfter = claim.metadata.annotations?.[BETA_CLASS];
  const fromAnnotation =
    classBefore !== undefined && before.storageClassName === undefined && after.storageClassName === classBefore;
  if (fromAnnotation) delete after.storageClassName;
  else {
    if (classBefore !== classAfter) {
      const at = FieldPath.of("metadata", "annotations").key(BETA_CLASS);
      errors.push(invalid(at, classAfter ?? "", "field is immutable"));
    }
    if (classBefore === undefined && before.storageClassName === undefined) delete after.storageClassName;
  }
  const bound = claim.status?.phase === "Bound";
  const sizeBefore = old.spec?.resources?.requests?.storage;
  const sizeAfter = claim.spec?.resources?.requests?.storage;
  if (bound && after.resources?.requests && sizeBefore !== undefined) after.resources.requests.storage = sizeBefore;
  if (bound && after.volumeAttributesClassName !== undefined) {
    if (before.volumeAttributesClassName === undefined) delete after.volumeAttributesClassName;
    else after.volumeAttributesClassName = before.volumeAttributesClassName;
  }
  if (!semanticEqual(after, before)) {
    const diff = jsonDiff(toInternal("PersistentVolumeClaimSpec", before), toInternal("PersistentVolumeClaimSpec", after));
    const detail = `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${diff}`;
    errors.push(forbidden(path, detail));
  }
  const capacity = claim.status?.capacity?.storage ?? old.status?.capacity?.storage ?? "0";
  if (less(sizeAfter, sizeBefore) && !less(capacity, sizeAfter)) {
    errors.push(forbidden(path.child("resources", "requests", "storage"), "field can not be less than status.capacity"));
  }
  return [...errors, ...validateImmutableField(claim.spec?.volumeMode, old.spec?.volumeMode, FieldPath.of("volumeMode"))];
}

function less(a: string | undefined, b: string | undefined): boolean {
  return quantityCompare(parseQuantity(a ?? "0"), parseQuantity(b ?? "0")) < 0;
}

/** Upstream's `ValidatePersistentVolumeClaimStatusUpdate` without the metadata rules. */
export function validateClaimStatus(claim: PersistentVolumeClaim): FieldError[] {
  const at = FieldPath.of("status", "capacity");
  return Object.entries(claim.status?.capacity ?? {}).flatMap(([name, amount]) => {
    const value = quantityValue(parseQuantity(amount));
    return value < 0 ? [invalid(at.key(name), value, "must be a valid resource quantity")] : [];
  });
}
