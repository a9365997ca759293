import { type FieldError, invalid, required, tooLong } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength } from "#apimachinery/validation/names.ts";

/** Most parameters of one class. */
const PARAMETERS_MAX = 512;
/** All parameters together, keys and values. */
const PARAMETERS_BYTES_MAX: number = 256 * 1024;

type Parameters = Readonly<Record<string, string>>;

/** Upstream's `validateParameters`: what a class or an attachment hands to its driver. */
export function validateParameters(parameters: Parameters | undefined, allowEmpty: boolean, path: FieldPath): FieldError[] {
  const entries = Object.entries(parameters ?? {});
  const errors: FieldError[] = [];
  if (entries.length > PARAMETERS_MAX) return [tooLong(path, PARAMETERS_MAX)];
  if (!allowEmpty && entries.length === 0) errors.push(required(path, "must contain at least one key/value pair"));
  let bytes = 0;
  for (const [key, value] of entries) {
    if (key === "") errors.push(invalid(path, key, "field can not be empty."));
    bytes += byteLength(key) + byteLength(value);
  }
  if (bytes > PARAMETERS_BYTES_MAX) errors.push(tooLong(path, PARAMETERS_BYTES_MAX));
  return errors;
}
