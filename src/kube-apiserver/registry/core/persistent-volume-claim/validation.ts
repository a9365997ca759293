import type { PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { parseQuantity, quantityCompare, quantityValue } from "#apimachinery/resource/quantity.ts";
import { type FieldError, forbidden, invalid, notSupported } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { IMMUTABLE_MESSAGE, validateImmutableField, validateLabelSelector } from "#apimachinery/validation/object-meta.ts";
import { toInternal } from "../pod/internal-form.ts";
import { jsonDiff } from "../pod/unified-diff.ts";
import { type ClaimSpecOptions, validateClaimSpec } from "../pod/validation/claim-template.ts";
import { qualifiedNameErrors } from "../pod/validation/field-checks.ts";
import { isNativeResource } from "../pod/validation/resource-names.ts";

const BETA_CLASS = "volume.beta.kubernetes.io/storage-class";
const path = FieldPath.of("spec");

/** Upstream's `ValidatePersistentVolumeClaim` without the metadata rules. */
export function validateClaim(claim: PersistentVolumeClaim): FieldError[] {
  return validateClaimSpec(claim.spec ?? {}, path);
}

/** What upstream's strategy checks on an update: the claim, then the change. */
export function validateClaimUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  return [...validateClaimSpec(claim.spec ?? {}, path, optionsFor(old)), ...validateChange(claim, old)];
}

function optionsFor({ spec }: PersistentVolumeClaim): ClaimSpecOptions {
  const references = [spec?.dataSource, spec?.dataSourceRef];
  return {
    allowInvalidApiGroupInDataSource: references.some((reference) => (reference?.apiGroup ?? null) !== null),
    allowInvalidLabelValueInSelector: validateLabelSelector(spec?.selector, {}, path).length > 0,
  };
}

/** A claim's spec is fixed, but for binding, growing, and the volume attributes class of bound claims. */
function validateChange(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const errors: FieldError[] = [];
  const after = deepCopy(claim.spec ?? {});
  const before = deepCopy(old.spec ?? {});
  if (!before.volumeName) restore(before, after, "volumeName");
  errors.push(...validateClassChange(claim, old));
  if (isFromAnnotation(claim, old)) delete after.storageClassName;
  else if (isFirstClass(claim, old)) restore(after, before, "storageClassName");
  const sizeBefore = old.spec?.resources?.requests?.storage;
  const sizeAfter = claim.spec?.resources?.requests?.storage;
  if (claim.status?.phase === "Bound") {
    if (after.resources?.requests) after.resources.requests.storage = sizeBefore ?? "0";
    restore(after, before, "volumeAttributesClassName");
  }
  if (!semanticEqual(after, before)) {
    const diff = jsonDiff(toInternal("PersistentVolumeClaimSpec", before), toInternal("PersistentVolumeClaimSpec", after));
    const detail = `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${diff}`;
    errors.push(forbidden(path, detail));
  }
  if (less(sizeAfter, sizeBefore) && !less(old.status?.capacity?.storage, sizeAfter)) {
    errors.push(forbidden(path.child("resources", "requests", "storage"), "field can not be less than status.capacity"));
  }
  errors.push(...validateImmutableField(claim.spec?.volumeMode, old.spec?.volumeMode, FieldPath.of("volumeMode")));
  return [...errors, ...validateAttributesClassChange(claim, old)];
}

function restore<T extends object, K extends keyof T>(target: T, from: T, field: K): void {
  const value = from[field];
  if (value === undefined) delete target[field];
  else target[field] = value;
}

const classAnnotation = (claim: PersistentVolumeClaim): string | undefined => claim.metadata.annotations?.[BETA_CLASS];

/** The class that an annotation named may be written into the field. */
function isFromAnnotation(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean {
  const annotation = classAnnotation(old);
  if (annotation === undefined || old.spec?.storageClassName !== undefined) return false;
  return claim.spec?.storageClassName === annotation && (classAnnotation(claim) ?? annotation) === annotation;
}

/** A claim without a class may get one later (KEP-3333). */
function isFirstClass(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean {
  const name = claim.spec?.storageClassName;
  return name !== undefined && old.spec?.storageClassName === undefined && (classAnnotation(old) ?? name) === name;
}

function validateClassChange(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  if (isFromAnnotation(claim, old) || (classAnnotation(claim) ?? "") === (classAnnotation(old) ?? "")) return [];
  return [invalid(FieldPath.of("metadata", "annotations", BETA_CLASS), classAnnotation(claim) ?? "", IMMUTABLE_MESSAGE)];
}

/** A class whose attributes the volume has got cannot be taken away (KEP-3751). */
function validateAttributesClassChange(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const name = claim.spec?.volumeAttributesClassName;
  if (name === old.spec?.volumeAttributesClassName || name) return [];
  if ((old.status?.currentVolumeAttributesClassName ?? null) === null) return [];
  const what = name === undefined ? "nil" : "empty string";
  const detail = `update to ${what} is forbidden when status.currentVolumeAttributesClassName is not nil`;
  return [forbidden(path.child("volumeAttributesClassName"), detail)];
}

function less(a: string | undefined, b: string | undefined): boolean {
  return quantityCompare(parseQuantity(a ?? "0"), parseQuantity(b ?? "0")) < 0;
}

const RESIZE_STATUSES = [
  "ControllerResizeInProgress",
  "ControllerResizeInfeasible",
  "NodeResizeInProgress",
  "NodeResizeInfeasible",
  "NodeResizePending",
].sort();
const statusPath = FieldPath.of("status");

/** Upstream's `ValidatePersistentVolumeClaimStatusUpdate` without the metadata rules. */
export function validateClaimStatus(claim: PersistentVolumeClaim): FieldError[] {
  const { capacity, allocatedResourceStatuses, allocatedResources } = claim.status ?? {};
  const errors = Object.entries(capacity ?? {}).flatMap(([name, amount]) =>
    basicErrors(amount, statusPath.child("capacity").key(name)),
  );
  const statuses = statusPath.child("allocatedResourceStatuses");
  for (const [name, status] of Object.entries(allocatedResourceStatuses ?? {})) {
    errors.push(...resourceKeyErrors(name, statuses));
    if (!RESIZE_STATUSES.includes(status)) errors.push(notSupported(statuses, name, RESIZE_STATUSES));
  }
  const allocated = statusPath.child("allocatedResources");
  for (const [name, amount] of Object.entries(allocatedResources ?? {})) {
    const wrong = resourceKeyErrors(name, allocated);
    errors.push(...(wrong.length > 0 ? wrong : basicErrors(amount, allocated.key(name))));
  }
  return errors;
}

function basicErrors(amount: string, at: FieldPath): FieldError[] {
  const value = quantityValue(parseQuantity(amount));
  return value < 0 ? [invalid(at, value, "must be a valid resource quantity")] : [];
}

/** Of the resources of Kubernetes a claim has only storage. */
function resourceKeyErrors(name: string, at: FieldPath): FieldError[] {
  const errors = qualifiedNameErrors(name, at);
  if (errors.length > 0 || name === "storage" || !isNativeResource(name)) return errors;
  return [notSupported(at, name, ["storage"])];
}
