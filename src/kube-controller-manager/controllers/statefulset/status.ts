import type { StatefulSet, StatefulSetStatus } from "#api/generated/apps/v1.ts";
import type { Pod } from "#api/generated/core/v1.ts";
import { isPodAvailable, isPodTerminating } from "#component-helpers/pod/pod-conditions.ts";
import type { History } from "./history.ts";
import { wantedReplicas } from "./identity.ts";
import { isCreated, isRunningAndReady, podRevision } from "./pod-state.ts";

/** The counts of a StatefulSet as they are. Upstream's `computeReplicaStatus`. */
export function countMembers(
  set: StatefulSet,
  { current, update }: History,
  pods: readonly Pod[],
  nowMs: number,
): StatefulSetStatus {
  const created = pods.filter(isCreated);
  const living = created.filter((pod) => !isPodTerminating(pod));
  const ready = created.filter(isRunningAndReady);
  const ofRevision = (name: string | undefined): number => living.filter((pod) => podRevision(pod) === name).length;
  return {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: created.length,
    readyReplicas: ready.length,
    availableReplicas: ready.filter((pod) => isPodAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs)).length,
    currentReplicas: ofRevision(current.metadata.name),
    updatedReplicas: ofRevision(update.metadata.name),
    currentRevision: current.metadata.name ?? "",
    updateRevision: update.metadata.name ?? "",
    collisionCount: set.status?.collisionCount ?? 0,
  };
}

/** Makes the new revision the current one when all pods are of it and ready. Upstream's `completeRollingUpdate`. */
export function completeRollingUpdate(set: StatefulSet, status: StatefulSetStatus): StatefulSetStatus {
  const wanted = wantedReplicas(set);
  const { updatedReplicas = 0, readyReplicas = 0, replicas, updateRevision = "" } = status;
  const isComplete = updatedReplicas === wanted && readyReplicas === wanted && replicas === wanted;
  if (set.spec.updateStrategy?.type !== "RollingUpdate" || !isComplete) return status;
  return { ...status, currentReplicas: updatedReplicas, currentRevision: updateRevision };
}

/** Whether the status tells anything new. */
export function statusChanged(old: StatefulSetStatus | undefined, now: StatefulSetStatus): boolean {
  const counts = ["replicas", "readyReplicas", "availableReplicas", "currentReplicas", "updatedReplicas"] as const;
  return (
    old === undefined ||
    (now.observedGeneration ?? 0) > (old.observedGeneration ?? 0) ||
    counts.some((count) => (old[count] ?? 0) !== (now[count] ?? 0)) ||
    (old.currentRevision ?? "") !== now.currentRevision ||
    (old.updateRevision ?? "") !== now.updateRevision
  );
}
