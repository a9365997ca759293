import type { ResourceQuota, ResourceQuotaSpec } from "#api/generated/core/v1.ts";
import { type FieldError, invalid, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { ownValue } from "#base/own-value.ts";
import { resourceNameErrors } from "../pod/validation/resource-names.ts";
import { quantityValueErrors } from "./resource-list-validation.ts";

const QUOTA_RESOURCES = new Set([
  ...["cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage", "requests.ephemeral-storage"],
  ...["limits.cpu", "limits.memory", "limits.ephemeral-storage", "pods", "resourcequotas", "services", "replicationcontrollers"],
  ...["secrets", "persistentvolumeclaims", "configmaps", "services.nodeports", "services.loadbalancers"],
]);
const POD_COUNTS = ["pods"];
const POD_AMOUNTS = [...POD_COUNTS, "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];
const CLAIM_AMOUNTS = ["persistentvolumeclaims", "requests.storage"];
/** What may be limited under each scope. */
const RESOURCES_BY_SCOPE: Readonly<Record<string, readonly string[]>> = {
  Terminating: POD_AMOUNTS,
  NotTerminating: POD_AMOUNTS,
  BestEffort: POD_COUNTS,
  NotBestEffort: POD_AMOUNTS,
  PriorityClass: POD_AMOUNTS,
  CrossNamespacePodAffinity: POD_AMOUNTS,
  VolumeAttributesClass: CLAIM_AMOUNTS,
};
const EXISTS_ONLY = ["BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity"];
const CONFLICTS = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
] as const;
const UNSUPPORTED_FOR_RESOURCE = "unsupported scope applied to resource";

/** Upstream's `ValidateResourceQuota` without the metadata rules. */
export function validateResourceQuota(quota: ResourceQuota): FieldError[] {
  return [...validateSpec(quota.spec ?? {}, FieldPath.of("spec")), ...validateStatus(quota)];
}

/** Upstream's `ValidateResourceQuotaUpdate`: scopes never change. */
export function validateResourceQuotaUpdate(quota: ResourceQuota, old: ResourceQuota): FieldError[] {
  const errors = validateSpec(quota.spec ?? {}, FieldPath.of("spec"));
  const before = new Set(old.spec?.scopes);
  const after = new Set(quota.spec?.scopes);
  if (before.size !== after.size || [...before].some((scope) => !after.has(scope))) {
    errors.push(invalid(FieldPath.of("spec", "scopes"), quota.spec?.scopes ?? null, "field is immutable"));
  }
  return errors;
}

/** Upstream's `ValidateResourceQuotaStatus`. */
export function validateStatus(quota: ResourceQuota): FieldError[] {
  const path = FieldPath.of("status");
  return [...validateAmounts(quota.status?.hard, path.child("hard")), ...validateAmounts(quota.status?.used, path.child("used"))];
}

function validateAmounts(amounts: Readonly<Record<string, string>> | undefined, path: FieldPath): FieldError[] {
  return Object.entries(amounts ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, amount]) => {
      const at = path.key(name);
      return [...quotaResourceErrors(name, at), ...quantityValueErrors(name, amount, at)];
    });
}

function isQuotaResource(name: string): boolean {
  return QUOTA_RESOURCES.has(name) || name.startsWith("hugepages-") || name.startsWith("requests.hugepages-");
}

function quotaResourceErrors(name: string, path: FieldPath): FieldError[] {
  const errors = resourceNameErrors(name, path);
  if (!name.includes("/") && !isQuotaResource(name)) errors.push(invalid(path, name, "must be a standard resource for quota"));
  return errors;
}

function validateSpec(spec: ResourceQuotaSpec, path: FieldPath): FieldError[] {
  return [...validateAmounts(spec.hard, path.child("hard")), ...validateScopes(spec, path), ...validateSelector(spec, path)];
}

function unfit(scope: string, spec: ResourceQuotaSpec): number {
  const fit = ownValue(RESOURCES_BY_SCOPE, scope);
  if (fit === undefined) return 0;
  return Object.keys(spec.hard ?? {}).filter((name) => isQuotaResource(name) && !fit.includes(name)).length;
}

function validateScopes(spec: ResourceQuotaSpec, path: FieldPath): FieldError[] {
  const scopes = spec.scopes ?? [];
  const at = path.child("scopes");
  const errors: FieldError[] = [];
  for (const scope of scopes) {
    if (!Object.hasOwn(RESOURCES_BY_SCOPE, scope)) errors.push(invalid(at, scopes, "unsupported scope"));
    for (let i = unfit(scope, spec); i > 0; i--) errors.push(invalid(at, scopes, UNSUPPORTED_FOR_RESOURCE));
  }
  return [...errors, ...conflicts(scopes, spec, at)];
}

function conflicts(used: readonly string[], spec: ResourceQuotaSpec, path: FieldPath): FieldError[] {
  return CONFLICTS.filter(([a, b]) => used.includes(a) && used.includes(b)).map(() =>
    invalid(path, spec.scopes ?? null, "conflicting scopes"),
  );
}

function validateSelector(spec: ResourceQuotaSpec, path: FieldPath): FieldError[] {
  if (!spec.scopeSelector) return [];
  const at = path.child("scopeSelector", "matchExpressions");
  const requirements = spec.scopeSelector.matchExpressions ?? [];
  const errors: FieldError[] = [];
  for (const { scopeName, operator, values = [] } of requirements) {
    if (!Object.hasOwn(RESOURCES_BY_SCOPE, scopeName))
      errors.push(invalid(at.child("scopeName"), scopeName, "unsupported scope"));
    for (let i = unfit(scopeName, spec); i > 0; i--) errors.push(invalid(at, internalSelector(spec), UNSUPPORTED_FOR_RESOURCE));
    if (EXISTS_ONLY.includes(scopeName) && operator !== "Exists")
      errors.push(invalid(at.child("operator"), operator, EXISTS_DETAIL));
    if (operator === "In" || operator === "NotIn") {
      if (values.length === 0) errors.push(required(at.child("values"), IN_DETAIL));
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      if (values.length > 0) errors.push(invalid(at.child("values"), values, NO_VALUE_DETAIL));
    } else errors.push(invalid(at.child("operator"), operator, "not a valid selector operator"));
  }
  const names = requirements.map(({ scopeName }) => scopeName);
  return [...errors, ...conflicts(names, spec, at)];
}

const EXISTS_DETAIL =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
const IN_DETAIL = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
const NO_VALUE_DETAIL = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";

function internalSelector(spec: ResourceQuotaSpec): Record<string, unknown> {
  const requirements = spec.scopeSelector?.matchExpressions ?? [];
  return {
    MatchExpressions: requirements.map((r) => ({ ScopeName: r.scopeName, Operator: r.operator, Values: r.values ?? null })),
  };
}
