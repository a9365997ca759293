import type {
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimTemplate,
  TypedLocalObjectReference,
  TypedObjectReference,
} from "#api/generated/core/v1.ts";
import { canonicalQuantity, parseQuantity, quantitySign } from "#apimachinery/resource/quantity.ts";
import { type FieldError, forbidden, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { nameIsDnsLabel, nameIsDnsSubdomain } from "#apimachinery/validation/names.ts";
import { validateAnnotations, validateLabelSelector, validateLabels } from "#apimachinery/validation/object-meta.ts";
import { forbiddenTemplateMetadata } from "../../../template-metadata.ts";
import { invalidEach } from "./field-checks.ts";
import { validateResourceQuantity } from "./resources.ts";

const ACCESS_MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const VOLUME_MODES = ["Block", "Filesystem"];

/** What a claim that was stored before a rule came may keep (upstream's `PersistentVolumeClaimSpecValidationOptions`). */
export interface ClaimSpecOptions {
  readonly allowInvalidLabelValueInSelector?: boolean;
  readonly allowInvalidApiGroupInDataSource?: boolean;
}

/** The claim inside a generic ephemeral volume. Of its metadata only labels and annotations are allowed. */
export function validateClaimTemplate(template: PersistentVolumeClaimTemplate, path: FieldPath): FieldError[] {
  const at = path.child("metadata");
  const errors = [
    ...validateAnnotations(template.metadata?.annotations ?? {}, at.child("annotations")),
    ...validateLabels(template.metadata?.labels ?? {}, at.child("labels")),
  ];
  errors.push(...forbiddenTemplateMetadata(template.metadata, at));
  return [...errors, ...validateClaimSpec(template.spec ?? {}, path.child("spec"))];
}

/** Upstream's `ValidatePersistentVolumeClaimSpec`. */
export function validateClaimSpec(
  spec: PersistentVolumeClaimSpec,
  path: FieldPath,
  options: ClaimSpecOptions = {},
): FieldError[] {
  const errors: FieldError[] = [];
  const modes = spec.accessModes ?? [];
  if (modes.length === 0) errors.push(required(path.child("accessModes"), "at least 1 access mode is required"));
  if (spec.selector) {
    const allowInvalidLabelValueInSelector = options.allowInvalidLabelValueInSelector === true;
    errors.push(...validateLabelSelector(spec.selector, { allowInvalidLabelValueInSelector }, path.child("selector")));
  }
  for (const mode of modes) {
    if (!ACCESS_MODES.includes(mode)) errors.push(notSupported(path.child("accessModes"), mode, ACCESS_MODES));
  }
  if (modes.includes("ReadWriteOncePod") && modes.some((mode) => mode !== "ReadWriteOncePod" && ACCESS_MODES.includes(mode))) {
    errors.push(forbidden(path.child("accessModes"), "may not use ReadWriteOncePod with other access modes"));
  }
  const storagePath = path.child("resources").key("storage");
  const { storage } = spec.resources?.requests ?? {};
  if (storage === undefined) errors.push(required(storagePath, ""));
  else if (quantitySign(parseQuantity(storage)) <= 0) {
    errors.push(invalid(storagePath, canonicalQuantity(storage), "must be greater than zero"));
  } else errors.push(...validateResourceQuantity("storage", storage, storagePath));
  if (spec.storageClassName) {
    errors.push(
      ...invalidEach(path.child("storageClassName"), spec.storageClassName, nameIsDnsSubdomain(spec.storageClassName, false)),
    );
  }
  if (spec.volumeMode !== undefined && spec.volumeMode !== null && !VOLUME_MODES.includes(spec.volumeMode)) {
    errors.push(notSupported(path.child("volumeMode"), spec.volumeMode, VOLUME_MODES));
  }
  errors.push(...dataSourceErrors(spec, path, options.allowInvalidApiGroupInDataSource === true));
  if (spec.volumeAttributesClassName) {
    const name = spec.volumeAttributesClassName;
    errors.push(...invalidEach(path.child("volumeAttributesClassName"), name, nameIsDnsSubdomain(name, false)));
  }
  return errors;
}

function dataSourceErrors(spec: PersistentVolumeClaimSpec, path: FieldPath, anyGroup: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const { dataSource, dataSourceRef } = spec;
  if (dataSource) errors.push(...referenceErrors(dataSource, path.child("dataSource"), anyGroup));
  if (dataSourceRef) {
    errors.push(...referenceErrors(dataSourceRef, path.child("dataSourceRef"), anyGroup));
    const namespace = dataSourceRef.namespace;
    if (namespace) {
      errors.push(...invalidEach(path.child("dataSourceRef", "namespace"), namespace, nameIsDnsLabel(namespace, false)));
    }
  }
  if (dataSourceRef?.namespace) {
    if (dataSource) {
      // Upstream shows the path of the field for its value, which prints as nothing.
      errors.push(invalid(path, {}, "may not be specified when dataSourceRef.namespace is specified"));
    }
  } else if (dataSource && dataSourceRef) {
    const same =
      (dataSource.apiGroup ?? null) === (dataSourceRef.apiGroup ?? null) &&
      dataSource.kind === dataSourceRef.kind &&
      dataSource.name === dataSourceRef.name;
    if (!same) errors.push(invalid(path, {}, "must match dataSourceRef"));
  }
  return errors;
}

function referenceErrors(
  reference: TypedLocalObjectReference | TypedObjectReference,
  path: FieldPath,
  anyGroup: boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  if (!reference.name) errors.push(required(path.child("name"), ""));
  if (!reference.kind) errors.push(required(path.child("kind"), ""));
  const group = reference.apiGroup ?? "";
  if (group === "" && reference.kind !== "PersistentVolumeClaim") {
    errors.push(invalid(path, reference.kind ?? "", "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
  }
  if (group !== "" && !anyGroup) errors.push(...invalidEach(path.child("apiGroup"), group, nameIsDnsSubdomain(group, false)));
  return errors;
}
