import type { CrossVersionObjectReference } from "#api/generated/autoscaling/v2.ts";
import { parseGroupVersion } from "#apimachinery/meta/api-object.ts";
import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { requiredPathSegment } from "../../networking/object-reference.ts";

/** Upstream's `ValidateCrossVersionObjectReference`. Of the kinds without a group only ReplicationController can be scaled. */
export function validateObjectReference(
  reference: CrossVersionObjectReference | undefined,
  path: FieldPath,
  coreGroup: boolean,
): FieldError[] {
  const { kind = "", name, apiVersion = "" } = reference ?? {};
  const errors = [...requiredPathSegment(kind, path.child("kind")), ...requiredPathSegment(name, path.child("name"))];
  const wrong = apiVersionError(apiVersion, coreGroup || kind === "ReplicationController");
  return wrong === undefined ? errors : [...errors, invalid(path.child("apiVersion"), apiVersion, wrong)];
}

function apiVersionError(apiVersion: string, coreGroup: boolean): string | undefined {
  if (apiVersion.split("/").length > 2) return `unexpected GroupVersion string: ${apiVersion}`;
  return coreGroup || parseGroupVersion(apiVersion).group !== "" ? undefined : "apiVersion must specify API group";
}
