import type { NodeSelectorTerm, PodSpec } from "#api/generated/core/v1.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isValidLabelValue } from "#apimachinery/validation/names.ts";

const DEPRECATED_NODE_LABELS: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};
const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution";
const MATCHES_NOTHING = "a null labelSelector results in matching no pod";

function deprecation(label: string): string | undefined {
  return Object.hasOwn(DEPRECATED_NODE_LABELS, label) ? DEPRECATED_NODE_LABELS[label] : undefined;
}

/** Warnings for how a spec at `path` selects nodes and spreads over them. */
export function nodeSelectionWarnings(spec: PodSpec, path: FieldPath): string[] {
  const warnings: string[] = [];
  for (const key of Object.keys(spec.nodeSelector ?? {}).sort()) {
    const message = deprecation(key);
    if (message) warnings.push(`${path.child("nodeSelector").key(key)}: ${message}`);
  }
  const affinity = spec.affinity?.nodeAffinity;
  const at = path.child("affinity", "nodeAffinity");
  (affinity?.[REQUIRED]?.nodeSelectorTerms ?? []).forEach((term, i) => {
    warnings.push(...termWarnings(term, false, at.child(REQUIRED, "nodeSelectorTerms").index(i)));
  });
  (affinity?.[PREFERRED] ?? []).forEach((term, i) => {
    warnings.push(...termWarnings(term.preference ?? {}, true, at.child(PREFERRED).index(i).child("preference")));
  });
  (spec.topologySpreadConstraints ?? []).forEach((constraint, i) => {
    const constraintPath = path.child("topologySpreadConstraints").index(i);
    const key = constraint.topologyKey ?? "";
    const message = deprecation(key);
    if (message) warnings.push(`${constraintPath.child("topologyKey")}: ${key} is ${message}`);
    if (!constraint.labelSelector) warnings.push(`${constraintPath.child("labelSelector")}: ${MATCHES_NOTHING}`);
  });
  return warnings;
}

/** Bad values are refused where a term is required; in preferences they are only told. */
function termWarnings(term: NodeSelectorTerm, checkValues: boolean, path: FieldPath): string[] {
  return (term.matchExpressions ?? []).flatMap((expression, i) => {
    const at = path.child("matchExpressions").index(i);
    const message = deprecation(expression.key ?? "");
    const warnings = message ? [`${at.child("key")}: ${expression.key} is ${message}`] : [];
    if (!checkValues) return warnings;
    const bad = (expression.values ?? []).flatMap((value, j) =>
      isValidLabelValue(value).map((text) => `${at.child("values").index(j)}: ${value} is invalid, ${text}`),
    );
    return [...warnings, ...bad];
  });
}

/** Warnings for affinity to pods that are not told. */
export function podAffinityWarnings(spec: PodSpec, path: FieldPath): string[] {
  return (["podAffinity", "podAntiAffinity"] as const).flatMap((field) => {
    const affinity = spec.affinity?.[field];
    const at = path.child("affinity", field);
    return [
      ...(affinity?.[REQUIRED] ?? []).flatMap((term, i) =>
        term.labelSelector ? [] : [`${at.child(REQUIRED).index(i).child("labelSelector")}: ${MATCHES_NOTHING}`],
      ),
      ...(affinity?.[PREFERRED] ?? []).flatMap((weighted, i) => {
        if (weighted.podAffinityTerm?.labelSelector) return [];
        return [`${at.child(PREFERRED).index(i).child("podAffinityTerm", "labelSelector")}: ${MATCHES_NOTHING}`];
      }),
    ];
  });
}
