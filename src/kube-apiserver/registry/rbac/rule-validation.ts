import type { PolicyRule } from "#api/generated/rbac/v1.ts";
import { type FieldError, invalid, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";

/** The rules of a Role (`namespaced`) or ClusterRole, as upstream's `validatePolicyRule`. */
export function validateRules(rules: readonly PolicyRule[] | undefined, namespaced: boolean): FieldError[] {
  const path = FieldPath.of("rules");
  return (rules ?? []).flatMap((rule, i) => validateRule(rule, namespaced, path.index(i)));
}

function validateRule(rule: PolicyRule, namespaced: boolean, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const has = (list: readonly string[] | undefined): boolean => (list?.length ?? 0) > 0;
  if (!has(rule.verbs)) errors.push(required(path.child("verbs"), "verbs must contain at least one value"));
  if (has(rule.nonResourceURLs)) {
    const at = path.child("nonResourceURLs");
    if (namespaced) errors.push(invalid(at, rule.nonResourceURLs, "namespaced rules cannot apply to non-resource URLs"));
    if (has(rule.apiGroups) || has(rule.resources) || has(rule.resourceNames)) {
      const detail = "rules cannot apply to both regular resources and non-resource URLs";
      errors.push(invalid(at, rule.nonResourceURLs, detail));
    }
    return errors;
  }
  if (!has(rule.apiGroups)) errors.push(required(path.child("apiGroups"), "resource rules must supply at least one api group"));
  if (!has(rule.resources)) errors.push(required(path.child("resources"), "resource rules must supply at least one resource"));
  if (has(rule.resourceNames) && (rule.resources?.length ?? 0) > 1) {
    errors.push(required(path.child("resourceNames"), "resource names cannot apply to multiple resources"));
  }
  return errors;
}
