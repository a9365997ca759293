import type { TopologySelectorLabelRequirement, TopologySelectorTerm } from "#api/generated/core/v1.ts";
import type { StorageClass } from "#api/generated/storage/v1.ts";
import { duplicate, type FieldError, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateImmutableField } from "#apimachinery/validation/object-meta.ts";
import { deprecatedLabel } from "../../core/persistent-volume/warnings.ts";
import { qualifiedNameErrors } from "../../core/pod/validation/field-checks.ts";
import { validateParameters } from "../parameters-validation.ts";
import { validateProvisioner } from "../provisioner-validation.ts";

const RECLAIM_POLICIES = ["Delete", "Retain"];
const BINDING_MODES = ["Immediate", "WaitForFirstConsumer"];
const topologiesPath = FieldPath.of("allowedTopologies");

/** Upstream's `ValidateStorageClass` without the metadata rules. */
export function validateStorageClass(storageClass: StorageClass): FieldError[] {
  const { provisioner, parameters, reclaimPolicy, volumeBindingMode: mode, allowedTopologies } = storageClass;
  const errors = [
    ...validateProvisioner(provisioner, FieldPath.of("provisioner")),
    ...validateParameters(parameters, true, FieldPath.of("parameters")),
  ];
  if (reclaimPolicy && !RECLAIM_POLICIES.includes(reclaimPolicy)) {
    errors.push(notSupported(FieldPath.of("reclaimPolicy"), reclaimPolicy, RECLAIM_POLICIES));
  }
  const modePath = FieldPath.of("volumeBindingMode");
  if (mode === undefined) errors.push(required(modePath, ""));
  else if (!BINDING_MODES.includes(mode)) errors.push(notSupported(modePath, mode, BINDING_MODES));
  return [...errors, ...validateTopologies(allowedTopologies ?? [])];
}

/** Only expansion, mount options and topologies may change. */
export function validateStorageClassUpdate(storageClass: StorageClass, old: StorageClass): FieldError[] {
  const fields = ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"] as const;
  return [
    ...validateStorageClass(storageClass),
    ...fields.flatMap((field) => validateImmutableField(storageClass[field], old[field], FieldPath.of(field))),
  ];
}

/** Upstream's `GetWarningsForStorageClass`: topology keys that others have replaced. */
export function storageClassWarnings({ allowedTopologies }: StorageClass): string[] {
  return (allowedTopologies ?? []).flatMap(({ matchLabelExpressions }, i) =>
    (matchLabelExpressions ?? []).flatMap(({ key }, j) => {
      const message = deprecatedLabel(key);
      const path = topologiesPath.index(i).child("matchLabelExpressions").index(j).child("key");
      return message === undefined ? [] : `${path}: ${message}`;
    }),
  );
}

function validateTopologies(terms: readonly TopologySelectorTerm[]): FieldError[] {
  const errors: FieldError[] = [];
  // Upstream's list of what it has seen begins with as many empty terms as there are terms, so that an empty term repeats each.
  const seen = terms.map(() => printed(new Map()));
  for (const [i, { matchLabelExpressions }] of terms.entries()) {
    const path = topologiesPath.index(i).child("matchLabelExpressions");
    const values = new Map<string, readonly string[]>();
    for (const [j, requirement] of (matchLabelExpressions ?? []).entries()) {
      const { key = "" } = requirement;
      errors.push(...validateRequirement(requirement, path.index(j)));
      if (values.has(key)) errors.push(duplicate(path.index(j).child("key"), key));
      values.set(key, [...new Set(requirement.values)].sort());
    }
    const term = printed(values);
    for (const other of seen) if (other === term) errors.push(duplicate(path, ""));
    seen.push(term);
  }
  return errors;
}

/** Equal for terms that ask for the same. */
function printed(values: ReadonlyMap<string, readonly string[]>): string {
  return JSON.stringify([...values].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function validateRequirement({ key = "", values = [] }: TopologySelectorLabelRequirement, path: FieldPath): FieldError[] {
  const errors = values.length === 0 ? [required(path.child("values"), "")] : [];
  for (const [i, value] of values.entries()) {
    if (values.indexOf(value) < i) errors.push(duplicate(path.child("values").index(i), value));
  }
  return [...errors, ...qualifiedNameErrors(key, path.child("key"))];
}
