import type { ResourceClaim } from "#api/generated/resource/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { IMMUTABLE_MESSAGE } from "#apimachinery/validation/object-meta.ts";
import { claimInGoForm } from "../claim-internal-form.ts";
import { validateClaimSpec } from "../claim-validation.ts";

const path = FieldPath.of("spec");

/** Upstream's `ValidateResourceClaim` without the metadata rules. */
export function validateResourceClaim({ spec }: ResourceClaim): FieldError[] {
  return validateClaimSpec(spec, path);
}

/** What a claim asks for never changes; upstream looks only whether it does. */
export function validateResourceClaimUpdate({ spec }: ResourceClaim, old: ResourceClaim): FieldError[] {
  if (semanticEqual(spec, old.spec)) return [];
  return [invalid(path, claimInGoForm(spec), IMMUTABLE_MESSAGE)];
}
