import type { Deployment, ReplicaSet } from "#api/generated/apps/v1.ts";
import { DESIRED_REPLICAS, MAX_REPLICAS, numberAnnotation } from "./annotations.ts";
import {
  active,
  byCreation,
  bySizeNewer,
  bySizeOlder,
  desiredReplicas,
  fenceposts,
  isRollingUpdate,
  replicasOf,
  sum,
} from "./replica-sets.ts";

/** A ReplicaSet and the size that it should have. */
export interface Resize {
  readonly replicaSet: ReplicaSet;
  readonly replicas: number;
}

/** Whether the Deployment's size changed since its ReplicaSets were last scaled. */
export function isScalingEvent(deployment: Deployment, all: readonly ReplicaSet[]): boolean {
  return active(all).some((replicaSet) => {
    const desired = numberAnnotation(replicaSet, DESIRED_REPLICAS);
    return desired !== undefined && desired !== desiredReplicas(deployment);
  });
}

/**
 * Spreads a new size: to the only ReplicaSet with pods, or, in the middle of a rollout, over all in proportion to their
 * sizes. Upstream's `scale`.
 */
export function scale(deployment: Deployment, newReplicaSet: ReplicaSet | undefined, old: readonly ReplicaSet[]): Resize[] {
  const wanted = desiredReplicas(deployment);
  const single = activeOrLatest(newReplicaSet, old);
  // Of the right size already, it still has to be told the size: a rollout starts only then.
  if (single !== undefined) return [{ replicaSet: single, replicas: wanted }];
  if (isSaturated(deployment, newReplicaSet)) return active(old).map((replicaSet) => ({ replicaSet, replicas: 0 }));
  if (!isRollingUpdate(deployment)) return [];
  return scaleInProportion(deployment, active(newReplicaSet === undefined ? old : [...old, newReplicaSet]));
}

function scaleInProportion(deployment: Deployment, all: readonly ReplicaSet[]): Resize[] {
  const wanted = desiredReplicas(deployment);
  const allowed = wanted > 0 ? wanted + fenceposts(deployment).maxSurge : 0;
  const toAdd = allowed - sum(all, replicasOf);
  const sorted = toAdd > 0 ? [...all].sort(bySizeNewer) : toAdd < 0 ? [...all].sort(bySizeOlder) : [...all];
  let added = 0;
  const sizes = sorted.map((replicaSet) => {
    const share = toAdd === 0 ? 0 : proportion(deployment, replicaSet, toAdd, added);
    added += share;
    return replicasOf(replicaSet) + share;
  });
  return sorted.map((replicaSet, i) => {
    // What rounding left goes to the largest.
    const leftover = i === 0 && toAdd !== 0 ? toAdd - added : 0;
    return { replicaSet, replicas: Math.max(0, (sizes[i] ?? 0) + leftover) };
  });
}

function proportion(deployment: Deployment, replicaSet: ReplicaSet, toAdd: number, added: number): number {
  if (replicasOf(replicaSet) === 0 || toAdd === added) return 0;
  const fraction = fractionOf(deployment, replicaSet);
  const left = toAdd - added;
  return toAdd > 0 ? Math.min(fraction, left) : Math.max(fraction, left);
}

function fractionOf(deployment: Deployment, replicaSet: ReplicaSet): number {
  const wanted = desiredReplicas(deployment);
  const size = replicasOf(replicaSet);
  if (wanted === 0) return -size;
  const podsMax = wanted + fenceposts(deployment).maxSurge;
  const podsMaxBefore = numberAnnotation(replicaSet, MAX_REPLICAS) || (deployment.status?.replicas ?? 0);
  if (podsMaxBefore === 0) return 0;
  return Math.round((size * podsMax) / podsMaxBefore) - size;
}

function activeOrLatest(newReplicaSet: ReplicaSet | undefined, old: readonly ReplicaSet[]): ReplicaSet | undefined {
  const all = active(newReplicaSet === undefined ? old : [...old, newReplicaSet]);
  if (all.length > 1) return undefined;
  return all[0] ?? newReplicaSet ?? [...old].sort((a, b) => byCreation(b, a))[0];
}

function isSaturated(deployment: Deployment, replicaSet: ReplicaSet | undefined): boolean {
  if (replicaSet === undefined) return false;
  const wanted = desiredReplicas(deployment);
  return (
    replicasOf(replicaSet) === wanted &&
    numberAnnotation(replicaSet, DESIRED_REPLICAS) === wanted &&
    (replicaSet.status?.availableReplicas ?? 0) === wanted
  );
}
