import type { CSIPersistentVolumeSource } from "#api/generated/core/v1.ts";
import { type FieldError, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { dnsLabelErrors, dnsSubdomainErrors } from "../pod/validation/field-checks.ts";
import { csiDriverNameErrors } from "../pod/validation/volumes-legacy.ts";

const SECRETS = [
  "controllerPublishSecretRef",
  "controllerExpandSecretRef",
  "nodePublishSecretRef",
  "nodeExpandSecretRef",
] as const;

/** Upstream's `validateCSIPersistentVolumeSource`. */
export function validateCsiSource(source: CSIPersistentVolumeSource, path: FieldPath): FieldError[] {
  const errors = csiDriverNameErrors(source.driver ?? "", path.child("driver"));
  if (!source.volumeHandle) errors.push(required(path.child("volumeHandle"), ""));
  for (const field of SECRETS) {
    const reference = source[field];
    if (!reference) continue;
    const { name = "", namespace = "" } = reference;
    const at = path.child(field);
    errors.push(...(name === "" ? [required(at.child("name"), "")] : dnsSubdomainErrors(name, at.child("name"))));
    errors.push(...(namespace === "" ? [required(at.child("namespace"), "")] : dnsLabelErrors(namespace, at.child("namespace"))));
  }
  return errors;
}
