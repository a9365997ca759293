import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isDns1123Label, isDns1123Subdomain, isQualifiedName } from "#apimachinery/validation/names.ts";

/** One `Invalid` for each message about a value. */
export function invalidEach(path: FieldPath, value: unknown, messages: readonly string[]): FieldError[] {
  return messages.map((message) => invalid(path, value, message));
}

/** Upstream's `ValidateDNS1123Label`. */
export function dnsLabelErrors(value: string, path: FieldPath): FieldError[] {
  return invalidEach(path, value, isDns1123Label(value));
}

/** Upstream's `ValidateDNS1123Subdomain`. */
export function dnsSubdomainErrors(value: string, path: FieldPath): FieldError[] {
  return invalidEach(path, value, isDns1123Subdomain(value));
}

/** Upstream's `ValidateQualifiedName`, which is also `ValidateLabelName`. */
export function qualifiedNameErrors(value: string, path: FieldPath): FieldError[] {
  return invalidEach(path, value, isQualifiedName(value));
}

/** Upstream's `ValidateNonnegativeField`; an absent value is zero. */
export function nonNegativeErrors(value: number | undefined | null, path: FieldPath): FieldError[] {
  return (value ?? 0) < 0 ? [invalid(path, value, "must be greater than or equal to 0")] : [];
}
