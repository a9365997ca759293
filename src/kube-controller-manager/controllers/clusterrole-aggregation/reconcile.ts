import type { ClusterRole, PolicyRule } from "#api/generated/rbac/v1.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";

/** What the decision depends on. */
export interface Observed {
  readonly role: ClusterRole;
  /** All cluster roles. */
  readonly all: readonly ClusterRole[];
}

export interface Action {
  readonly type: "apply";
  readonly name: string;
  readonly rules: readonly PolicyRule[];
}

/** Whether the rules of one role belong to another that aggregates. */
export function isPartOf(role: ClusterRole, { aggregationRule }: ClusterRole): boolean {
  const labels = role.metadata.labels ?? {};
  return (aggregationRule?.clusterRoleSelectors ?? []).some((fields) => labelSelectorFromObject(fields).matches(labels));
}

/** A role that aggregates has the rules of those that its selectors match, by name and each rule once. */
export function reconcile({ role, all }: Observed): readonly Action[] {
  if (!role.aggregationRule) return [];
  const name = role.metadata.name ?? "";
  const rules: PolicyRule[] = [];
  const parts = all.filter((other) => other.metadata.name !== name && isPartOf(other, role));
  const byName = parts.sort((a, b) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1));
  for (const fields of role.aggregationRule.clusterRoleSelectors ?? []) {
    const selector = labelSelectorFromObject(fields);
    for (const other of byName) {
      if (!selector.matches(other.metadata.labels ?? {})) continue;
      for (const rule of other.rules ?? []) if (!rules.some((known) => semanticEqual(known, rule))) rules.push(rule);
    }
  }
  return semanticEqual(rules, role.rules ?? []) ? [] : [{ type: "apply", name, rules }];
}
