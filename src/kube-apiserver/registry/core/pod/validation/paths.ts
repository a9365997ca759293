import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";

/** At most one complaint, however many `..` a path has. */
export function noBackstepsErrors(target: string, path: FieldPath): FieldError[] {
  return target.split("/").includes("..") ? [invalid(path, target, "must not contain '..'")] : [];
}

/** A path below its volume: relative, without `..`. */
export function localDescendingPathErrors(target: string, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (target.startsWith("/")) errors.push(invalid(path, target, "must be a relative path"));
  return [...errors, ...noBackstepsErrors(target, path)];
}

/** As {@link localDescendingPathErrors}; names that begin with `..` are reserved for the kubelet's atomic writer. */
export function localNonReservedPathErrors(target: string, path: FieldPath): FieldError[] {
  const errors = localDescendingPathErrors(target, path);
  if (target.startsWith("..") && !target.startsWith("../")) errors.push(invalid(path, target, "must not start with '..'"));
  return errors;
}

const FILE_MODE_MAX = 0o777;

/** Complaints about the permission bits of a projected file. */
export function fileModeErrors(mode: number | undefined | null, path: FieldPath): FieldError[] {
  if (mode === undefined || mode === null || (mode >= 0 && mode <= FILE_MODE_MAX)) return [];
  return [invalid(path, mode, "must be a number between 0 and 0777 (octal), both inclusive")];
}
