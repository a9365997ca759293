import type { Node, Pod } from "#api/generated/core/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { podResources } from "./resources.ts";

/** What changed in the cluster that may make room for a waiting pod. */
export type ClusterEvent =
  | { readonly resource: "Node"; readonly action: NodeAction; readonly node: Node }
  | { readonly resource: "AssignedPod"; readonly action: AssignedPodAction; readonly pod: Pod }
  /** Something that a pod's volumes depend on came or changed. */
  | { readonly resource: "PersistentVolumeClaim" | "PersistentVolume" | "StorageClass"; readonly action: "add" | "update" }
  /** The waiting pod itself was changed. */
  | { readonly resource: "UnscheduledPod"; readonly action: UnscheduledPodAction; readonly pod: Pod };

export type AssignedPodAction = "add" | "delete" | "scaleDown" | "updateLabel";
export type NodeAction = "add" | "delete" | "updateAllocatable" | "updateLabel" | "updateTaint";
export type UnscheduledPodAction = "updateToleration" | "updateGates" | "updateLabel" | "scaleDown";

/** Whether an event could make a pod that the plugin rejected schedulable (KEP-4247). */
export interface EventRegistration {
  readonly resource: ClusterEvent["resource"];
  readonly actions: readonly string[];
  /** Looks closer; every such event counts when absent. */
  readonly queueingHint?: (pod: Pod, event: ClusterEvent) => "Queue" | "Skip";
}

/** What a node's update means for waiting pods; most (heartbeats) mean nothing. */
export function nodeUpdateActions(old: Node, node: Node): readonly NodeAction[] {
  const actions: NodeAction[] = [];
  if (!semanticEqual(old.status?.allocatable, node.status?.allocatable)) actions.push("updateAllocatable");
  if (!semanticEqual(old.metadata.labels, node.metadata.labels)) actions.push("updateLabel");
  const tainted = semanticEqual(old.spec?.taints, node.spec?.taints);
  if (!tainted || Boolean(old.spec?.unschedulable) !== Boolean(node.spec?.unschedulable)) actions.push("updateTaint");
  return actions;
}

/** What the update of a waiting pod changed that plugins may care for. */
export function unscheduledPodActions(old: Pod, pod: Pod): readonly UnscheduledPodAction[] {
  const actions: UnscheduledPodAction[] = [];
  if (!semanticEqual(old.metadata.labels, pod.metadata.labels)) actions.push("updateLabel");
  if ((pod.spec.tolerations?.length ?? 0) !== (old.spec.tolerations?.length ?? 0)) actions.push("updateToleration");
  if ((old.spec.schedulingGates?.length ?? 0) > 0 && (pod.spec.schedulingGates?.length ?? 0) === 0) actions.push("updateGates");
  if (isScaledDown(old, pod)) actions.push("scaleDown");
  return actions;
}

/** What the update of a pod on a node changed that waiting pods may care for. */
export function assignedPodActions(old: Pod, pod: Pod): readonly AssignedPodAction[] {
  const actions: AssignedPodAction[] = [];
  // A pod that begins to leave does not count where pods are spread any more.
  const leaves = old.metadata.deletionTimestamp === undefined && pod.metadata.deletionTimestamp !== undefined;
  if (leaves || !semanticEqual(old.metadata.labels, pod.metadata.labels)) actions.push("updateLabel");
  if (isScaledDown(old, pod)) actions.push("scaleDown");
  return actions;
}

/** Whether the pod asks for less of anything than before. */
export function isScaledDown(old: Pod, pod: Pod): boolean {
  if (old.spec.containers === pod.spec.containers && old.spec.resources === pod.spec.resources) return false;
  const before = podResources(old, { placed: old.spec.nodeName !== undefined });
  const after = podResources(pod, { placed: pod.spec.nodeName !== undefined });
  return (
    after.milliCpu < before.milliCpu ||
    after.memoryBytes < before.memoryBytes ||
    after.ephemeralStorageBytes < before.ephemeralStorageBytes ||
    [...before.scalars].some(([name, value]) => (after.scalars.get(name) ?? 0) < value)
  );
}
