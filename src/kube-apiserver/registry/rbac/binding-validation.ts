import type { RoleBinding, Subject } from "#api/generated/rbac/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { type FieldError, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { nameIsDnsSubdomain, nameIsPathSegment } from "#apimachinery/validation/names.ts";
import { invalidEach } from "../core/pod/validation/field-checks.ts";

/** The group of roles and of the subjects that are people. */
const RBAC_GROUP = "rbac.authorization.k8s.io";

/** RoleBinding and ClusterRoleBinding, as far as their rules differ by scope only. */
type Binding = Pick<RoleBinding, "roleRef" | "subjects">;

/** Upstream's `SetDefaults_RoleBinding` and `SetDefaults_Subject`: users and groups belong to RBAC's group. */
export function setBindingDefaults(binding: Draft<Binding>): void {
  if (binding.roleRef && !binding.roleRef.apiGroup) binding.roleRef.apiGroup = RBAC_GROUP;
  for (const subject of binding.subjects ?? []) {
    if (!subject.apiGroup && (subject.kind === "User" || subject.kind === "Group")) subject.apiGroup = RBAC_GROUP;
  }
}

/** Upstream's `ValidateRoleBinding` and `ValidateClusterRoleBinding` without the metadata rules. */
export function validateBinding(binding: Binding, namespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const { apiGroup = "", kind = "", name = "" } = binding.roleRef ?? {};
  const path = FieldPath.of("roleRef");
  if (apiGroup !== RBAC_GROUP) errors.push(notSupported(path.child("apiGroup"), apiGroup, [RBAC_GROUP]));
  const kinds = namespaced ? ["Role", "ClusterRole"] : ["ClusterRole"];
  if (!kinds.includes(kind)) errors.push(notSupported(path.child("kind"), kind, kinds));
  if (name === "") errors.push(required(path.child("name"), ""));
  else errors.push(...invalidEach(path.child("name"), name, nameIsPathSegment(name, false)));
  const subjects = FieldPath.of("subjects");
  for (const [i, subject] of (binding.subjects ?? []).entries()) {
    errors.push(...validateSubject(subject, namespaced, subjects.index(i)));
  }
  return errors;
}

/** What a binding grants may change, the role that it binds may not. */
export function validateBindingUpdate(binding: Binding, old: Binding, namespaced: boolean): FieldError[] {
  const errors = validateBinding(binding, namespaced);
  const { apiGroup = "", kind = "", name = "" } = binding.roleRef ?? {};
  if (apiGroup !== old.roleRef.apiGroup || kind !== old.roleRef.kind || name !== old.roleRef.name) {
    errors.push(invalid(FieldPath.of("roleRef"), { APIGroup: apiGroup, Kind: kind, Name: name }, "cannot change roleRef"));
  }
  return errors;
}

function validateSubject(subject: Subject, namespaced: boolean, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { kind = "", name = "", apiGroup = "" } = subject;
  if (name === "") errors.push(required(path.child("name"), ""));
  if (kind === "ServiceAccount") {
    if (name !== "") errors.push(...invalidEach(path.child("name"), name, nameIsDnsSubdomain(name, false)));
    if (apiGroup !== "") errors.push(notSupported(path.child("apiGroup"), apiGroup, [""]));
    if (!namespaced && !subject.namespace) errors.push(required(path.child("namespace"), ""));
  } else if (kind === "User" || kind === "Group") {
    if (name === "") errors.push(invalid(path.child("name"), name, `${kind.toLowerCase()} name cannot be empty`));
    if (apiGroup !== RBAC_GROUP) errors.push(notSupported(path.child("apiGroup"), apiGroup, [RBAC_GROUP]));
  } else {
    errors.push(notSupported(path.child("kind"), kind, ["ServiceAccount", "User", "Group"]));
  }
  return errors;
}
