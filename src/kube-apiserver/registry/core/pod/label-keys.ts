import type { Pod, PodAffinityTerm } from "#api/generated/core/v1.ts";
import type { LabelSelector } from "#api/generated/meta/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";

/**
 * Puts the pod's own values of `matchLabelKeys` and `mismatchLabelKeys` into the selectors, once, at creation
 * (KEP-3633, KEP-3243). Keys that the pod has no label for are left out.
 */
export function mergeLabelKeys(pod: Draft<Pod>): void {
  const labels = pod.metadata?.labels ?? {};
  for (const field of ["podAffinity", "podAntiAffinity"] as const) {
    const affinity = pod.spec?.affinity?.[field];
    for (const weighted of affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
      mergeTerm(weighted.podAffinityTerm, labels);
    }
    for (const term of affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) mergeTerm(term, labels);
  }
  for (const constraint of pod.spec?.topologySpreadConstraints ?? []) {
    if (constraint.labelSelector) merge(constraint.labelSelector, constraint.matchLabelKeys ?? [], "In", labels);
  }
}

type Labels = Readonly<Record<string, string>>;

function mergeTerm(term: Draft<PodAffinityTerm> | undefined, labels: Labels): void {
  if (!term?.labelSelector) return;
  merge(term.labelSelector, term.matchLabelKeys ?? [], "In", labels);
  merge(term.labelSelector, term.mismatchLabelKeys ?? [], "NotIn", labels);
}

function merge(selector: Draft<LabelSelector>, keys: readonly string[], operator: string, labels: Labels): void {
  for (const key of keys) {
    const value = labels[key];
    if (value === undefined) continue;
    selector.matchExpressions ??= [];
    selector.matchExpressions.push({ key, operator, values: [value] });
  }
}
