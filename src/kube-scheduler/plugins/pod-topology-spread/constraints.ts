import type { Node, Pod, TopologySpreadConstraint } from "#api/generated/core/v1.ts";
import { type LabelSelector, labelSelectorFromObject, nothing, selectorFromRequirements } from "#apimachinery/labels/selector.ts";
import { ownValue } from "#base/own-value.ts";
import { matchesNodeSelectorAndAffinity } from "#component-helpers/node/node-affinity.ts";
import { findUntoleratedTaint } from "#component-helpers/node/taints.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import type { PodInfo } from "../../framework/pod-info.ts";

/** Pods of one namespace that a selector means and that are not about to leave. */
export interface PodMatcher {
  readonly selector: LabelSelector;
  /** The same for the same namespace and selector. */
  readonly key: string;
  readonly matches: (pod: Pick<PodInfo, "pod">) => boolean;
}

/** A constraint of a pod's `topologySpreadConstraints`, ready to use. */
export interface SpreadConstraint {
  readonly maxSkew: number;
  readonly topologyKey: string;
  /** The pods that count. */
  readonly matcher: PodMatcher;
  readonly minDomains: number;
  /** Nodes that the pod's node affinity excludes do not count (KEP-3094). */
  readonly honorsAffinity: boolean;
  /** Nodes whose taints the pod does not tolerate do not count. */
  readonly honorsTaints: boolean;
}

type Action = "DoNotSchedule" | "ScheduleAnyway";

/** The pod's own constraints of one kind. */
export function constraintsOf(pod: Pod, action: Action): readonly SpreadConstraint[] {
  return (pod.spec.topologySpreadConstraints ?? [])
    .filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action)
    .map((constraint) => parse(constraint, pod));
}

/** Whether the node has a topology for every constraint. */
export function hasTopologies(node: Node, constraints: readonly SpreadConstraint[]): boolean {
  const labels = node.metadata.labels ?? {};
  return constraints.every(({ topologyKey }) => ownValue(labels, topologyKey) !== undefined);
}

/** Whether what is on the node counts for the pod. */
export function countsNode({ honorsAffinity, honorsTaints }: SpreadConstraint, pod: Pod, node: Node): boolean {
  if (honorsAffinity && !matchesNodeSelectorAndAffinity(pod, node)) return false;
  if (!honorsTaints) return true;
  const { taints = [] } = node.spec ?? {};
  return findUntoleratedTaint(taints, pod.spec.tolerations ?? [], ["NoSchedule", "NoExecute"]) === undefined;
}

/** The pods that a selector means in a namespace. */
export function podMatcher(selector: LabelSelector, namespace: string): PodMatcher {
  return {
    selector,
    // The text of a selector that means nothing is that of one that means everything.
    key: `${namespace}/${selector === nothing ? "!" : selector.toString()}`,
    matches: ({ pod: { metadata } }) =>
      metadata.namespace === namespace && metadata.deletionTimestamp === undefined && selector.matches(metadata.labels),
  };
}

/** How many such pods the node has. */
export function countMatching(node: NodeInfo, { key, matches }: PodMatcher): number {
  return node.countPods(key, matches);
}

function parse(constraint: TopologySpreadConstraint, pod: Pod): SpreadConstraint {
  const selector = labelSelectorFromObject(constraint.labelSelector);
  return {
    maxSkew: constraint.maxSkew,
    topologyKey: constraint.topologyKey,
    matcher: podMatcher(withLabelsOf(selector, constraint.matchLabelKeys ?? [], pod), pod.metadata.namespace ?? ""),
    minDomains: constraint.minDomains ?? 1,
    honorsAffinity: (constraint.nodeAffinityPolicy ?? "Honor") === "Honor",
    honorsTaints: (constraint.nodeTaintsPolicy ?? "Ignore") === "Honor",
  };
}

/** Only pods that have the same values under these keys (KEP-3243). */
function withLabelsOf(selector: LabelSelector, keys: readonly string[], { metadata }: Pod): LabelSelector {
  const labels = metadata.labels ?? {};
  const own = keys.flatMap((key) => {
    const value = ownValue(labels, key);
    return value === undefined ? [] : [{ key, operator: "=" as const, values: [value] }];
  });
  return own.length === 0 ? selector : selectorFromRequirements([...own, ...selector.requirements]);
}
