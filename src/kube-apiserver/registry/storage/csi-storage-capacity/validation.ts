import type { CSIStorageCapacity } from "#api/generated/storage/v1.ts";
import { parseQuantity, quantityCompare } from "#apimachinery/resource/quantity.ts";
import type { FieldError } from "#apimachinery/validation/field-error.ts";
import { invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateImmutableField, validateLabelSelector } from "#apimachinery/validation/object-meta.ts";
import { dnsSubdomainErrors } from "../../core/pod/validation/field-checks.ts";

const ZERO = parseQuantity("0");

/** Upstream's `ValidateCSIStorageCapacity` without the metadata rules. */
export function validateCsiStorageCapacity(capacity: CSIStorageCapacity): FieldError[] {
  const errors = validateLabelSelector(
    capacity.nodeTopology,
    { allowInvalidLabelValueInSelector: false },
    FieldPath.of("nodeTopology"),
  );
  errors.push(...dnsSubdomainErrors(capacity.storageClassName ?? "", FieldPath.of("storageClassName")));
  for (const field of ["capacity", "maximumVolumeSize"] as const) {
    const amount = capacity[field];
    if (amount === undefined || quantityCompare(parseQuantity(amount), ZERO) >= 0) continue;
    errors.push(invalid(FieldPath.of(field), amount, "must be greater than or equal to 0"));
  }
  return errors;
}

/** Where and for which class there is room cannot change, only how much. */
export function validateCsiStorageCapacityUpdate(capacity: CSIStorageCapacity, old: CSIStorageCapacity): FieldError[] {
  return [
    ...validateCsiStorageCapacity(capacity),
    ...validateImmutableField(capacity.nodeTopology, old.nodeTopology, FieldPath.of("nodeTopology")),
    ...validateImmutableField(capacity.storageClassName, old.storageClassName, FieldPath.of("storageClassName")),
  ];
}
