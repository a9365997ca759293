import type { Deployment, ReplicaSet } from "#api/generated/apps/v1.ts";
import { active, byCreation, desiredReplicas, fenceposts, newReplicaSetSize, replicasOf, sum } from "./replica-sets.ts";
import type { Resize } from "./scaling.ts";

/** The new ReplicaSet's next size, if it changes. Upstream's `reconcileNewReplicaSet`. */
export function growNew(deployment: Deployment, newReplicaSet: ReplicaSet, all: readonly ReplicaSet[]): Resize[] {
  const wanted = desiredReplicas(deployment);
  const current = replicasOf(newReplicaSet);
  const replicas = current > wanted ? wanted : newReplicaSetSize(deployment, all, current);
  return replicas === current ? [] : [{ replicaSet: newReplicaSet, replicas }];
}

/**
 * Takes pods from old ReplicaSets: first those that are not available anyway, then as many as availability allows.
 * Upstream's `reconcileOldReplicaSets`.
 */
export function shrinkOld(deployment: Deployment, newReplicaSet: ReplicaSet, oldOnes: readonly ReplicaSet[]): Resize[] {
  const old = active(oldOnes).sort(byCreation);
  const oldPods = sum(old, replicasOf);
  if (oldPods === 0) return [];
  const minAvailable = desiredReplicas(deployment) - fenceposts(deployment).maxUnavailable;
  const newUnavailable = replicasOf(newReplicaSet) - availableOf(newReplicaSet);
  const scaleDownMax = oldPods + replicasOf(newReplicaSet) - minAvailable - newUnavailable;
  if (scaleDownMax <= 0) return [];
  const sizes = new Map(old.map((replicaSet) => [replicaSet, replicasOf(replicaSet)]));
  return [
    ...cleanUpUnhealthy(old, sizes, scaleDownMax),
    ...scaleDown(old, sizes, sum(old, availableOf) + availableOf(newReplicaSet) - minAvailable),
  ];
}

function cleanUpUnhealthy(old: readonly ReplicaSet[], sizes: Map<ReplicaSet, number>, limit: number): Resize[] {
  const resizes: Resize[] = [];
  let left = limit;
  for (const replicaSet of old) {
    if (left <= 0) break;
    const size = sizes.get(replicaSet) ?? 0;
    const count = Math.min(left, size - availableOf(replicaSet));
    if (size === 0 || count <= 0) continue;
    left -= count;
    sizes.set(replicaSet, size - count);
    resizes.push({ replicaSet, replicas: size - count });
  }
  return resizes;
}

function scaleDown(old: readonly ReplicaSet[], sizes: Map<ReplicaSet, number>, limit: number): Resize[] {
  const resizes: Resize[] = [];
  let left = limit;
  for (const replicaSet of old) {
    if (left <= 0) break;
    const size = sizes.get(replicaSet) ?? 0;
    const count = Math.min(left, size);
    if (count === 0) continue;
    left -= count;
    sizes.set(replicaSet, size - count);
    resizes.push({ replicaSet, replicas: size - count });
  }
  return resizes;
}

function availableOf({ status }: ReplicaSet): number {
  return status?.availableReplicas ?? 0;
}
