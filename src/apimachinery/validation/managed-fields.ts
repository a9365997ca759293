import type { ManagedFieldsEntry } from "../meta/api-object.ts";
import { type FieldError, invalid, tooLong } from "./field-error.ts";
import type { FieldPath } from "./field-path.ts";
import { byteLength } from "./names.ts";

/** Longest name of a field manager, in bytes. */
export const FIELD_MANAGER_BYTES_MAX = 128;
const SUBRESOURCE_BYTES_MAX = 256;

/** What nearly all managers are called, which needs no look at each character. */
const PLAIN_NAME = /^[ -~]*$/;

function isPlainManager(manager: string): boolean {
  return manager.length <= FIELD_MANAGER_BYTES_MAX && PLAIN_NAME.test(manager);
}

/** The name of a field manager: at most 128 bytes, all printable. */
export function validateFieldManager(manager: string, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (isPlainManager(manager)) return errors;
  if (byteLength(manager) > FIELD_MANAGER_BYTES_MAX) errors.push(tooLong(path, FIELD_MANAGER_BYTES_MAX));
  if (PLAIN_NAME.test(manager)) return errors;
  let position = 0;
  for (const char of manager) {
    if (!isPrintable(char)) {
      const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
      errors.push(invalid(path, manager, `invalid character U+${code} (at position ${position})`));
    }
    position += byteLength(char);
  }
  return errors;
}

// Go's unicode.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space.
function isPrintable(char: string): boolean {
  return char === " " || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(char);
}

/** The entries of `metadata.managedFields`. */
export function validateManagedFields(entries: readonly ManagedFieldsEntry[] | undefined, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  entries?.forEach((entry, i) => {
    // Paths are made for errors alone: every write looks at all managers.
    if (entry.operation !== "Apply" && entry.operation !== "Update") {
      errors.push(invalid(path.index(i).child("operation"), entry.operation ?? "", "must be `Apply` or `Update`"));
    }
    if (entry.fieldsType && entry.fieldsType !== "FieldsV1") {
      errors.push(invalid(path.index(i).child("fieldsType"), entry.fieldsType, "must be `FieldsV1`"));
    }
    if (entry.manager && !isPlainManager(entry.manager)) {
      errors.push(...validateFieldManager(entry.manager, path.index(i).child("manager")));
    }
    if (entry.subresource && byteLength(entry.subresource) > SUBRESOURCE_BYTES_MAX) {
      errors.push(tooLong(path.index(i).child("subresource"), SUBRESOURCE_BYTES_MAX));
    }
  });
  return errors;
}
