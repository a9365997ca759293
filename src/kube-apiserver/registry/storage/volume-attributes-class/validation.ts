import type { VolumeAttributesClass } from "#api/generated/storage/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type FieldError, forbidden } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateParameters } from "../parameters-validation.ts";
import { validateProvisioner } from "../provisioner-validation.ts";

/** Upstream's `ValidateVolumeAttributesClass` without the metadata rules. */
export function validateVolumeAttributesClass({ driverName, parameters }: VolumeAttributesClass): FieldError[] {
  return [
    ...validateProvisioner(driverName, FieldPath.of("driverName")),
    ...validateParameters(parameters, false, FieldPath.of("parameters")),
  ];
}

/** A class never changes. */
export function validateVolumeAttributesClassUpdate(vac: VolumeAttributesClass, old: VolumeAttributesClass): FieldError[] {
  const errors: FieldError[] = [];
  if (vac.driverName !== old.driverName)
    errors.push(forbidden(FieldPath.of("driverName"), "updates to driverName are forbidden."));
  if (!semanticEqual(vac.parameters ?? {}, old.parameters ?? {})) {
    errors.push(forbidden(FieldPath.of("parameters"), "updates to parameters are forbidden."));
  }
  return [...errors, ...validateVolumeAttributesClass(vac)];
}
