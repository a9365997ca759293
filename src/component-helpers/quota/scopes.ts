import type { ResourceQuota, ScopedResourceSelectorRequirement } from "#api/generated/core/v1.ts";

/** A quota's scopes in the form of its scope selector; all must match. */
export function scopesOf({ spec }: ResourceQuota): readonly ScopedResourceSelectorRequirement[] {
  const plain = (spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists" }) as const);
  return [...plain, ...(spec?.scopeSelector?.matchExpressions ?? [])];
}

/** Whether a value, or none, is what a scope's requirement asks for. */
export function matchesValue({ operator, values }: ScopedResourceSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && (values ?? []).includes(value);
    case "NotIn":
      return value === undefined || !(values ?? []).includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      return false;
  }
}
