import { type FieldError, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isDns1123Subdomain, isPathSegmentName } from "#apimachinery/validation/names.ts";
import { invalidEach } from "../core/pod/validation/field-checks.ts";

/** A reference to an object of any kind in the same namespace, or in none. */
interface TypedReference {
  readonly apiGroup?: string;
  readonly kind?: string;
  readonly name?: string;
}

/** Upstream's `validateIngressTypedLocalObjectReference`: any group, and a kind and name that fit into a URL. */
export function validateTypedReference(reference: TypedReference, path: FieldPath): FieldError[] {
  const { apiGroup, kind, name } = reference;
  const errors: FieldError[] = [];
  if (apiGroup !== undefined) errors.push(...invalidEach(path.child("apiGroup"), apiGroup, isDns1123Subdomain(apiGroup)));
  errors.push(...requiredPathSegment(kind, path.child("kind")), ...requiredPathSegment(name, path.child("name")));
  return errors;
}

/** A value that must be given, and be good as one part of a URL's path. */
export function requiredPathSegment(value: string | undefined, path: FieldPath): FieldError[] {
  return value ? invalidEach(path, value, isPathSegmentName(value)) : [required(path, "")];
}
