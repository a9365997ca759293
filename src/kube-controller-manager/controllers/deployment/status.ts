import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from "#api/generated/apps/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { findCondition, hasProgressDeadline, isComplete, newCondition, setCondition, withoutCondition } from "./conditions.ts";
import { desiredReplicas, fenceposts, replicasOf, sum } from "./replica-sets.ts";

/** The numbers, and whether enough is available. Upstream's `calculateStatus`. */
export function calculateStatus(
  deployment: Deployment,
  all: readonly ReplicaSet[],
  newReplicaSet: ReplicaSet | undefined,
  conditions: readonly DeploymentCondition[],
  nowMs: number,
): DeploymentStatus {
  const available = sum(all, ({ status }) => status?.availableReplicas);
  const terminating = terminatingReplicas(all);
  const { collisionCount } = deployment.status ?? {};
  const enough = available >= desiredReplicas(deployment) - fenceposts(deployment).maxUnavailable;
  const availability = enough
    ? newCondition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", nowMs)
    : newCondition("Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.", nowMs);
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sum(all, ({ status }) => status?.replicas),
    updatedReplicas: newReplicaSet?.status?.replicas ?? 0,
    readyReplicas: sum(all, ({ status }) => status?.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sum(all, replicasOf) - available),
    ...(terminating === undefined ? {} : { terminatingReplicas: terminating }),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions: setCondition(conditions, availability),
  };
}

/** Unknown while any ReplicaSet does not tell. */
function terminatingReplicas(all: readonly ReplicaSet[]): number | undefined {
  let total = 0;
  for (const { status } of all) {
    if (status?.terminatingReplicas === undefined) return undefined;
    total += status.terminatingReplicas;
  }
  return total;
}

/** The status of a rollout: numbers, progress against the deadline, failures. Upstream's `syncRolloutStatus`. */
export function rolloutStatus(
  deployment: Deployment,
  all: readonly ReplicaSet[],
  newReplicaSet: ReplicaSet | undefined,
  conditionsBefore: readonly DeploymentCondition[],
  nowMs: number,
): DeploymentStatus {
  const status = calculateStatus(deployment, all, newReplicaSet, conditionsBefore, nowMs);
  let conditions = status.conditions ?? [];
  if (!hasProgressDeadline(deployment)) conditions = withoutCondition(conditions, "Progressing");
  const current = findCondition(conditionsBefore, "Progressing");
  const finished = status.replicas === status.updatedReplicas && current?.reason === "NewReplicaSetAvailable";
  if (hasProgressDeadline(deployment) && !finished) {
    const subject =
      newReplicaSet === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newReplicaSet.metadata.name}"`;
    // A ReplicaSet whose controller has not looked at it says nothing yet. Upstream gets no further then either: its second
    // write of a status in the same round fails, and it comes back when the ReplicaSet has one.
    if (isComplete(deployment, status) && (newReplicaSet === undefined || isObserved(newReplicaSet))) {
      const text = `${subject} has successfully progressed.`;
      conditions = setCondition(conditions, newCondition("Progressing", "True", "NewReplicaSetAvailable", text, nowMs));
    } else if (isProgressing(deployment, status)) {
      const text = `${subject} is progressing.`;
      const condition = newCondition("Progressing", "True", "ReplicaSetUpdated", text, nowMs);
      const kept =
        current?.status === "True" && current.lastTransitionTime !== undefined
          ? { ...condition, lastTransitionTime: current.lastTransitionTime }
          : condition;
      // Renewed even when nothing but the time changes: the deadline counts from here.
      conditions = [...withoutCondition(conditions, "Progressing"), kept];
    } else if (hasTimedOut(deployment, conditions, nowMs)) {
      const text = `${subject} has timed out progressing.`;
      conditions = setCondition(conditions, newCondition("Progressing", "False", "ProgressDeadlineExceeded", text, nowMs));
    }
  }
  const failure = replicaFailure(all, newReplicaSet, nowMs);
  conditions = failure === undefined ? withoutCondition(conditions, "ReplicaFailure") : setCondition(conditions, failure);
  return { ...status, conditions };
}

function isObserved({ status }: ReplicaSet): boolean {
  return status?.observedGeneration !== undefined;
}

/** Milliseconds after which the progress deadline must be looked at again. */
export function deadlineInMs(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const condition = findCondition(status.conditions, "Progressing");
  if (!hasProgressDeadline(deployment) || condition === undefined || isComplete(deployment, status)) return undefined;
  if (condition.reason === "ProgressDeadlineExceeded" || condition.reason === "NewReplicaSetAvailable") return undefined;
  const sinceMs = parseTime(condition.lastUpdateTime) ?? nowMs;
  const afterMs = sinceMs + (deployment.spec.progressDeadlineSeconds ?? 0) * 1000 - nowMs;
  // Times on the wire have whole seconds: a second more lets the deadline surely be over.
  return Math.max(0, afterMs) + 1000;
}

function isProgressing({ status: old = {} }: Deployment, now: DeploymentStatus): boolean {
  const oldOnes = (old.replicas ?? 0) - (old.updatedReplicas ?? 0);
  const oldOnesNow = (now.replicas ?? 0) - (now.updatedReplicas ?? 0);
  return (
    (now.updatedReplicas ?? 0) > (old.updatedReplicas ?? 0) ||
    oldOnesNow < oldOnes ||
    (now.readyReplicas ?? 0) > (old.readyReplicas ?? 0) ||
    (now.availableReplicas ?? 0) > (old.availableReplicas ?? 0)
  );
}

function hasTimedOut(deployment: Deployment, conditions: readonly DeploymentCondition[], nowMs: number): boolean {
  const condition = findCondition(conditions, "Progressing");
  if (condition === undefined || condition.reason === "NewReplicaSetAvailable") return false;
  if (condition.reason === "ProgressDeadlineExceeded") return true;
  const sinceMs = parseTime(condition.lastUpdateTime) ?? 0;
  return sinceMs + (deployment.spec.progressDeadlineSeconds ?? 0) * 1000 < nowMs;
}

/** The new ReplicaSet's failure is told first, then any other's. */
function replicaFailure(
  all: readonly ReplicaSet[],
  newReplicaSet: ReplicaSet | undefined,
  nowMs: number,
): DeploymentCondition | undefined {
  const failureOf = (replicaSet: ReplicaSet | undefined) =>
    replicaSet?.status?.conditions?.find((condition) => condition.type === "ReplicaFailure");
  const failure = failureOf(newReplicaSet) ?? all.map(failureOf).find((condition) => condition !== undefined);
  if (failure === undefined) return undefined;
  const condition = newCondition("ReplicaFailure", failure.status, failure.reason ?? "", failure.message ?? "", nowMs);
  if (failure.lastTransitionTime === undefined) return condition;
  return { ...condition, lastUpdateTime: failure.lastTransitionTime, lastTransitionTime: failure.lastTransitionTime };
}
