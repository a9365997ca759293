import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject } from "#api/generated/rbac/v1.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { type FieldError, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { type LabelSelectorFields, validateLabelSelector } from "#apimachinery/validation/labels.ts";
import { isDns1123Subdomain, isValidLabelValue, nameIsPathSegment } from "#apimachinery/validation/names.ts";

/** The API group of roles and bindings, and of the users and groups that bindings name. */
export const RBAC_GROUP = "rbac.authorization.k8s.io";

const SUBJECT_KINDS = ["ServiceAccount", "User", "Group"];

/** Upstream's `SetDefaults_RoleBinding` and `SetDefaults_Subject`: users and groups belong to RBAC's own group. */
export function setBindingDefaults(binding: Draft<RoleBinding | ClusterRoleBinding>): void {
  binding.roleRef ??= { kind: "", name: "" };
  if (!binding.roleRef.apiGroup) binding.roleRef.apiGroup = RBAC_GROUP;
  for (const subject of binding.subjects ?? []) {
    if (!subject.apiGroup && (subject.kind === "User" || subject.kind === "Group")) subject.apiGroup = RBAC_GROUP;
  }
}

/** Upstream's `ValidateRole`: rules of a namespace cannot speak of URLs. */
export function validateRole(role: Role): FieldError[] {
  return validateRules(role.rules, true);
}

/** Upstream's `ValidateClusterRole`. Selectors that `old` already had with bad label values are let through. */
export function validateClusterRole(role: ClusterRole, old?: ClusterRole): FieldError[] {
  const errors = validateRules(role.rules, false);
  if (!role.aggregationRule) return errors;
  const path = FieldPath.of("aggregationRule").child("clusterRoleSelectors");
  const selectors = role.aggregationRule.clusterRoleSelectors ?? [];
  if (selectors.length === 0) {
    errors.push(required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil"));
  }
  const allowInvalidLabelValueInSelector = (old?.aggregationRule?.clusterRoleSelectors ?? []).some(hasInvalidLabelValue);
  for (const [i, selector] of selectors.entries()) {
    errors.push(...validateLabelSelector(selector, { allowInvalidLabelValueInSelector }, path.index(i)));
    if (!isSelector(selector)) errors.push(invalid(path.index(i), null, "invalid label selector."));
  }
  return errors;
}

function hasInvalidLabelValue(selector: LabelSelectorFields): boolean {
  return (selector.matchExpressions ?? []).some(({ values }) =>
    (values ?? []).some((value) => isValidLabelValue(value).length > 0),
  );
}

function isSelector(selector: LabelSelectorFields): boolean {
  try {
    labelSelectorFromObject(selector);
    return true;
  } catch {
    return false;
  }
}

function validateRules(rules: readonly PolicyRule[] | undefined, namespaced: boolean): FieldError[] {
  return (rules ?? []).flatMap((rule, i) => validateRule(rule, namespaced, FieldPath.of("rules").index(i)));
}

function validateRule(rule: PolicyRule, namespaced: boolean, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  if (!rule.verbs?.length) errors.push(required(path.child("verbs"), "verbs must contain at least one value"));
  if (nonResourceURLs?.length) {
    const urls = path.child("nonResourceURLs");
    if (namespaced) errors.push(invalid(urls, nonResourceURLs, "namespaced rules cannot apply to non-resource URLs"));
    if (apiGroups?.length || resources?.length || resourceNames?.length) {
      errors.push(invalid(urls, nonResourceURLs, "rules cannot apply to both regular resources and non-resource URLs"));
    }
    return errors;
  }
  if (!apiGroups?.length) errors.push(required(path.child("apiGroups"), "resource rules must supply at least one api group"));
  if (!resources?.length) errors.push(required(path.child("resources"), "resource rules must supply at least one resource"));
  return errors;
}

/** Upstream's `ValidateRoleBinding`. */
export function validateRoleBinding(binding: RoleBinding): FieldError[] {
  return validateBinding(binding, ["Role", "ClusterRole"], true);
}

/** Upstream's `ValidateClusterRoleBinding`: it names cluster roles only, and the namespaces of its service accounts. */
export function validateClusterRoleBinding(binding: ClusterRoleBinding): FieldError[] {
  return validateBinding(binding, ["ClusterRole"], false);
}

/** What a binding binds cannot change: a change would give its subjects rights that nobody granted them. */
export function validateBindingUpdate(
  binding: RoleBinding | ClusterRoleBinding,
  old: RoleBinding | ClusterRoleBinding,
): FieldError[] {
  const { apiGroup = "", kind, name } = binding.roleRef;
  const { roleRef } = old;
  if (apiGroup === (roleRef.apiGroup ?? "") && kind === roleRef.kind && name === roleRef.name) return [];
  // Upstream prints its internal type, whose fields have no JSON names.
  return [invalid(FieldPath.of("roleRef"), { APIGroup: apiGroup, Kind: kind, Name: name }, "cannot change roleRef")];
}

function validateBinding(binding: RoleBinding | ClusterRoleBinding, kinds: string[], namespaced: boolean): FieldError[] {
  const subjects = (binding.subjects ?? []).flatMap((subject, i) =>
    validateSubject(subject, namespaced, FieldPath.of("subjects").index(i)),
  );
  return [...validateRoleRef(binding.roleRef, kinds), ...subjects];
}

function validateRoleRef(roleRef: RoleRef, kinds: string[]): FieldError[] {
  const path = FieldPath.of("roleRef");
  const errors: FieldError[] = [];
  const { apiGroup = "", kind, name } = roleRef;
  if (apiGroup !== RBAC_GROUP) errors.push(notSupported(path.child("apiGroup"), apiGroup, [RBAC_GROUP]));
  if (!kinds.includes(kind)) errors.push(notSupported(path.child("kind"), kind, kinds));
  if (!name) errors.push(required(path.child("name"), ""));
  else for (const message of nameIsPathSegment(name, false)) errors.push(invalid(path.child("name"), name, message));
  return errors;
}

function validateSubject({ kind, name, apiGroup = "", namespace }: Subject, namespaced: boolean, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (!name) errors.push(required(path.child("name"), ""));
  switch (kind) {
    case "ServiceAccount":
      if (name) for (const message of isDns1123Subdomain(name)) errors.push(invalid(path.child("name"), name, message));
      if (apiGroup !== "") errors.push(notSupported(path.child("apiGroup"), apiGroup, [""]));
      if (!namespaced && !namespace) errors.push(required(path.child("namespace"), ""));
      break;
    case "User":
    case "Group":
      if (apiGroup !== RBAC_GROUP) errors.push(notSupported(path.child("apiGroup"), apiGroup, [RBAC_GROUP]));
      break;
    default:
      errors.push(notSupported(path.child("kind"), kind, SUBJECT_KINDS));
  }
  return errors;
}
