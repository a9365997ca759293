import type { ConfigMap } from "#api/generated/core/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type FieldError, forbidden, invalid, tooLong } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength, isConfigMapKey } from "#apimachinery/validation/names.ts";
import { invalidEach } from "../pod/validation/field-checks.ts";

/** Largest content of a ConfigMap or Secret, in bytes. */
export const DATA_BYTES_MAX: number = 1024 * 1024;

const IMMUTABLE_DETAIL = "field is immutable when `immutable` is set";

/** Bytes that a base64 text stands for. */
export function decodedLength(base64: string): number {
  return Math.floor((base64.length * 3) / 4) - (base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0);
}

/** Upstream's `ValidateConfigMap`. */
export function validateConfigMap(configMap: ConfigMap): FieldError[] {
  const data = configMap.data ?? {};
  const binaryData = configMap.binaryData ?? {};
  const errors: FieldError[] = [];
  let size = 0;
  for (const key of Object.keys(data).sort()) {
    const path = FieldPath.of("data").key(key);
    errors.push(...invalidEach(path, key, isConfigMapKey(key)));
    if (key in binaryData) errors.push(invalid(path, key, "duplicate of key present in binaryData"));
    size += byteLength(data[key] ?? "");
  }
  for (const key of Object.keys(binaryData).sort()) {
    errors.push(...invalidEach(FieldPath.of("binaryData").key(key), key, isConfigMapKey(key)));
    size += decodedLength(binaryData[key] ?? "");
  }
  // Upstream's path without a name prints as an index without one.
  if (size > DATA_BYTES_MAX) errors.push(tooLong(FieldPath.of("[]"), DATA_BYTES_MAX));
  return errors;
}

/** Upstream's `ValidateConfigMapUpdate` without the metadata rules. */
export function validateConfigMapUpdate(configMap: ConfigMap, old: ConfigMap): FieldError[] {
  return [...immutableChanges(configMap, old, ["data", "binaryData"]), ...validateConfigMap(configMap)];
}

/** An object that is `immutable` stays so, and keeps the named fields. */
export function immutableChanges<T extends { readonly immutable?: boolean }>(
  object: T,
  old: T,
  fields: readonly (keyof T & string)[],
): FieldError[] {
  if (old.immutable !== true) return [];
  const errors: FieldError[] = [];
  if (object.immutable !== true) errors.push(forbidden(FieldPath.of("immutable"), IMMUTABLE_DETAIL));
  for (const field of fields) {
    if (!semanticEqual(object[field] ?? {}, old[field] ?? {})) errors.push(forbidden(FieldPath.of(field), IMMUTABLE_DETAIL));
  }
  return errors;
}
