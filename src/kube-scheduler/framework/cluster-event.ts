import type { ContainerStatus, Node, PersistentVolume, PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import type { StorageClass } from "#api/generated/storage/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { PodInfo } from "./pod-info.ts";
import { podResources, type Resources } from "./resources.ts";

/** What changed in the cluster that may make room for a waiting pod. Updates tell what was there before as `old`. */
export type ClusterEvent =
  | { readonly resource: "Node"; readonly action: NodeAction; readonly node: Node; readonly old?: Node }
  | AssignedPodEvent
  | {
      readonly resource: "PersistentVolumeClaim";
      readonly action: VolumeAction;
      readonly claim: PersistentVolumeClaim;
      readonly old?: PersistentVolumeClaim;
    }
  | {
      readonly resource: "PersistentVolume";
      readonly action: VolumeAction;
      readonly volume: PersistentVolume;
      readonly old?: PersistentVolume;
    }
  | {
      readonly resource: "StorageClass";
      readonly action: VolumeAction;
      readonly storageClass: StorageClass;
      readonly old?: StorageClass;
    }
  /** The waiting pod itself was changed. */
  | { readonly resource: "UnscheduledPod"; readonly action: UnscheduledPodAction; readonly pod: Pod; readonly old?: Pod };

/** A pod that counts, or counted, on a node: bound, about to be bound, or to come there when its victims are gone. */
export interface AssignedPodEvent {
  readonly resource: "AssignedPod";
  readonly action: AssignedPodAction;
  readonly pod: Pod;
  readonly old?: Pod;
  /** That node, which the pod itself need not name (yet). */
  readonly nodeName?: string | undefined;
}

export type AssignedPodAction = "add" | "delete" | "scaleDown" | "updateLabel";
export type NodeAction = "add" | "delete" | "updateAllocatable" | "updateLabel" | "updateTaint";
export type UnscheduledPodAction = "updateToleration" | "updateGates" | "updateLabel" | "scaleDown";
export type VolumeAction = "add" | "update";

/** Whether an event could make a pod that the plugin rejected schedulable (KEP-4247). */
export interface EventRegistration {
  readonly resource: ClusterEvent["resource"];
  readonly actions: readonly string[];
  /** Looks closer; every such event counts when absent. */
  readonly queueingHint?: QueueingHint;
}

/** Whether the event is worth another attempt of the pod. Asked of every pod that waits, for which it has to be cheap. */
export type QueueingHint = (pod: PodInfo, event: ClusterEvent) => "Queue" | "Skip";

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

/** Whether the pod asks for less of anything than before, or holds less after a resize that is done. */
export function isScaledDown(old: Pod, pod: Pod): boolean {
  if (old.spec.containers === pod.spec.containers && old.spec.resources === pod.spec.resources && !holdsOther(old, pod))
    return false;
  const [before, after] = [old, pod].map((one) => podResources(one, { placed: one.spec.nodeName !== undefined }));
  return isLess(after as Resources, before as Resources);
}

/** Whether some amount is less. */
function isLess(amounts: Resources, than: Resources): boolean {
  return (
    amounts.milliCpu < than.milliCpu ||
    amounts.memoryBytes < than.memoryBytes ||
    amounts.ephemeralStorageBytes < than.ephemeralStorageBytes ||
    [...than.scalars].some(([name, value]) => (amounts.scalars.get(name) ?? 0) < value)
  );
}

/** Whether statuses tell of other resources than before; those of most updates are the very same. */
function holdsOther(old: Pod, pod: Pod): boolean {
  const other = (before: readonly ContainerStatus[] = [], after: readonly ContainerStatus[] = []): boolean =>
    before !== after &&
    before.some(({ allocatedResources, resources }, i) => {
      const then = after[i];
      return (
        (allocatedResources !== undefined && !semanticEqual(allocatedResources, then?.allocatedResources)) ||
        (resources !== undefined && !semanticEqual(resources, then?.resources))
      );
    });
  return (
    other(old.status?.containerStatuses, pod.status?.containerStatuses) ||
    other(old.status?.initContainerStatuses, pod.status?.initContainerStatuses)
  );
}
