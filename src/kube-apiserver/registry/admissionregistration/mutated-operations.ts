import type { MatchResources } from "#api/generated/admissionregistration/v1.ts";
import { type FieldError, notSupported } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";

const MUTATED = ["*", "CONNECT", "CREATE", "UPDATE"];

/** Nothing can be changed in what is deleted. Upstream names the list of rules, not the rule. */
export function mutatedOperationErrors(match: MatchResources | undefined, path: FieldPath): FieldError[] {
  return (match?.resourceRules ?? []).flatMap(({ operations }) =>
    (operations ?? [])
      .filter((operation) => !MUTATED.includes(operation))
      .map((operation) => notSupported(path.child("resourceRules", "operations"), operation, MUTATED)),
  );
}
