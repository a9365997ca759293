import type { Node, Pod } from "#api/generated/core/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { ownValue } from "#base/own-value.ts";
import type { ClusterEvent } from "../../framework/cluster-event.ts";
import type { PodInfo } from "../../framework/pod-info.ts";
import { constraintsOf, countsNode, hasTopologies, type SpreadConstraint } from "./constraints.ts";

const known = new WeakMap<Pod, readonly SpreadConstraint[]>();

/** What the pod may be rejected for. Worked out once: each pod that waits is asked at each event. */
function hardConstraints(pod: Pod): readonly SpreadConstraint[] {
  let constraints = known.get(pod);
  if (constraints === undefined) {
    constraints = constraintsOf(pod, "DoNotSchedule");
    known.set(pod, constraints);
  }
  return constraints;
}

/** Only pods of the same namespace that a constraint means count, and those that begin or cease to. */
export function hintOfPod({ pod }: PodInfo, event: ClusterEvent): "Queue" | "Skip" {
  if (event.resource !== "AssignedPod" || event.pod.metadata.namespace !== pod.metadata.namespace) return "Skip";
  const { action, pod: other, old } = event;
  const matters = ({ matcher }: SpreadConstraint): boolean => {
    if (action === "updateLabel" && old !== undefined) return matcher.matches({ pod: old }) !== matcher.matches({ pod: other });
    // One that goes may be shown as leaving though it counted until now.
    return matcher.selector.matches(other.metadata.labels);
  };
  return hardConstraints(pod).some(matters) ? "Queue" : "Skip";
}

/** Only nodes that are somewhere in all the pod's topologies count, when they come, go, move, or get other taints. */
export function hintOfNode({ pod }: PodInfo, event: ClusterEvent): "Queue" | "Skip" {
  if (event.resource !== "Node") return "Skip";
  const { action, node, old } = event;
  const constraints = hardConstraints(pod);
  if (old === undefined) return hasTopologies(node, constraints) ? "Queue" : "Skip";
  if (action === "updateTaint" && hasTopologies(node, constraints) && !semanticEqual(old.spec?.taints, node.spec?.taints)) {
    return "Queue";
  }
  const domain = (constraint: SpreadConstraint, one: Node): string | undefined =>
    hasTopologies(one, constraints) && countsNode(constraint, pod, one)
      ? ownValue(one.metadata.labels ?? {}, constraint.topologyKey)
      : undefined;
  return constraints.some((constraint) => domain(constraint, old) !== domain(constraint, node)) ? "Queue" : "Skip";
}

/** Tolerations say which nodes count where taints are honored. */
export function hintOfToleration({ pod }: PodInfo): "Queue" | "Skip" {
  return hardConstraints(pod).some(({ honorsTaints }) => honorsTaints) ? "Queue" : "Skip";
}
