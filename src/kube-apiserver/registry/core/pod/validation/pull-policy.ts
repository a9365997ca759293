import { type FieldError, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";

const PULL_POLICIES = ["Always", "IfNotPresent", "Never"];

/** When the image of a container or volume is pulled. */
export function validatePullPolicy(policy: string, path: FieldPath): FieldError[] {
  if (policy === "") return [required(path, "")];
  return PULL_POLICIES.includes(policy) ? [] : [notSupported(path, policy, PULL_POLICIES)];
}
