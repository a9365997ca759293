import type { StorageVersionMigration } from "#api/generated/storagemigration/v1beta1.ts";
import { validateConditions } from "#apimachinery/validation/conditions.ts";
import { type FieldError, invalid, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isDns1035Label, isDns1123Subdomain } from "#apimachinery/validation/names.ts";
import { validateImmutableField } from "#apimachinery/validation/object-meta.ts";

const RESOURCE = FieldPath.of("spec", "resource");
const STATUS = FieldPath.of("status");

/** Upstream's `ValidateStorageVersionMigration` (pkg/apis/storagemigration/validation), but for metadata. */
export function validateMigration({ spec }: StorageVersionMigration): FieldError[] {
  const { group = "", resource = "" } = (spec?.resource ?? {}) as { readonly group?: string; readonly resource?: string };
  const errors: FieldError[] = [];
  if (resource === "") errors.push(required(RESOURCE.child("resource"), "resource is required to be set"));
  else {
    const faults = isDns1035Label(resource);
    if (faults.length > 0) errors.push(invalid(RESOURCE.child("resource"), resource, faults.join(",")));
  }
  const faults = group === "" ? [] : isDns1123Subdomain(group);
  if (faults.length > 0) errors.push(invalid(RESOURCE.child("group"), group, faults.join(",")));
  return errors;
}

/** What is to be migrated does not change. */
export function validateMigrationUpdate(migration: StorageVersionMigration, old: StorageVersionMigration): FieldError[] {
  return [...validateMigration(migration), ...validateImmutableField(migration.spec, old.spec, FieldPath.of("spec"))];
}

/** Upstream's `ValidateStorageVersionMigrationStatusUpdate`: what has ended has ended in one way. */
export function validateMigrationStatus(migration: StorageVersionMigration, old: StorageVersionMigration): FieldError[] {
  const { resourceVersion = "", conditions = [] } = migration.status ?? {};
  const before = old.status?.resourceVersion ?? "";
  const versionPath = STATUS.child("resourceVersion");
  const conditionsPath = STATUS.child("conditions");
  const errors: FieldError[] = [];
  if (!/^[1-9][0-9]*$/.test(resourceVersion)) {
    errors.push(invalid(versionPath, resourceVersion, `resource version is not well formed: ${resourceVersion}`));
  }
  errors.push(...validateConditions(conditions, conditionsPath));
  if (before !== "" && before !== resourceVersion) errors.push(invalid(versionPath, resourceVersion, "field is immutable"));
  const [running, succeeded, failed] = ["Running", "Succeeded", "Failed"].map((type) => isTrue(migration, type));
  const refuse = (detail: string): number => errors.push(invalid(conditionsPath, conditions, detail));
  if (succeeded && failed) refuse("Both success and failed conditions cannot be true at the same time");
  if (succeeded && running) refuse("Running condition cannot be true when success condition is true");
  if (failed && running) refuse("Running condition cannot be true when failed condition is true");
  if (isTrue(old, "Succeeded") && !succeeded) refuse("Success condition cannot be set to false once it is true");
  if (isTrue(old, "Failed") && !failed) refuse("Failed condition cannot be set to false once it is true");
  return errors;
}

function isTrue({ status }: StorageVersionMigration, type: string): boolean {
  return status?.conditions?.some((condition) => condition.type === type && condition.status === "True") === true;
}
