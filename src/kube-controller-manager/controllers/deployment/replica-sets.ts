import type { Deployment, ReplicaSet } from "#api/generated/apps/v1.ts";
import type { PodTemplateSpec } from "#api/generated/core/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { scaledIntOrPercent } from "#apimachinery/meta/int-or-string.ts";
import { parseTime } from "#apimachinery/meta/time.ts";

/** Label that keeps the pods of a Deployment's ReplicaSets apart. */
export const POD_TEMPLATE_HASH = "pod-template-hash";

/** How many pods a ReplicaSet wants. */
export function replicasOf(replicaSet: ReplicaSet): number {
  return replicaSet.spec.replicas ?? 1;
}

/** How many pods a Deployment wants. */
export function desiredReplicas(deployment: Deployment): number {
  return deployment.spec.replicas ?? 1;
}

/** Adds up a number of each; absent ones are 0. */
export function sum(replicaSets: readonly ReplicaSet[], of: (replicaSet: ReplicaSet) => number | undefined): number {
  return replicaSets.reduce((total, replicaSet) => total + (of(replicaSet) ?? 0), 0);
}

/** Those that want pods. */
export function active(replicaSets: readonly ReplicaSet[]): ReplicaSet[] {
  return replicaSets.filter((replicaSet) => replicasOf(replicaSet) > 0);
}

/** Older first, then by name. */
export function byCreation(a: ReplicaSet, b: ReplicaSet): number {
  const difference = created(a) - created(b);
  return difference !== 0 ? difference : (a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1;
}

/** Larger first, then older. */
export function bySizeOlder(a: ReplicaSet, b: ReplicaSet): number {
  return replicasOf(b) - replicasOf(a) || byCreation(a, b);
}

/** Larger first, then newer. */
export function bySizeNewer(a: ReplicaSet, b: ReplicaSet): number {
  return replicasOf(b) - replicasOf(a) || byCreation(b, a);
}

function created(replicaSet: ReplicaSet): number {
  return parseTime(replicaSet.metadata.creationTimestamp) ?? 0;
}

/** The ReplicaSet whose template is the Deployment's; the oldest, should there be several. */
export function findNewReplicaSet(deployment: Deployment, replicaSets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return [...replicaSets]
    .sort(byCreation)
    .find((replicaSet) => equalIgnoringHash(replicaSet.spec.template ?? {}, deployment.spec.template));
}

/** Whether two templates make the same pods. */
export function equalIgnoringHash(a: PodTemplateSpec, b: PodTemplateSpec): boolean {
  return semanticEqual(withoutHash(a), withoutHash(b));
}

function withoutHash(template: PodTemplateSpec): PodTemplateSpec {
  const { [POD_TEMPLATE_HASH]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

/** The fenceposts of a rolling update, in pods. */
export interface Fenceposts {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

/** Both 0 for Recreate. Never both 0 for a rolling update of something: it would not move. */
export function fenceposts(deployment: Deployment): Fenceposts {
  if (!isRollingUpdate(deployment)) return { maxSurge: 0, maxUnavailable: 0 };
  const replicas = desiredReplicas(deployment);
  const { maxSurge = 0, maxUnavailable = 0 } = deployment.spec.strategy?.rollingUpdate ?? {};
  const surge = scaledIntOrPercent(maxSurge, replicas, true);
  let unavailable = scaledIntOrPercent(maxUnavailable, replicas, false);
  if (surge === 0 && unavailable === 0) unavailable = 1;
  return { maxSurge: surge, maxUnavailable: replicas === 0 ? 0 : Math.min(unavailable, replicas) };
}

/** As opposed to Recreate. */
export function isRollingUpdate(deployment: Deployment): boolean {
  return deployment.spec.strategy?.type === "RollingUpdate";
}

/** How many replicas the new ReplicaSet may have now, given all that there are. */
export function newReplicaSetSize(deployment: Deployment, all: readonly ReplicaSet[], current: number): number {
  const wanted = desiredReplicas(deployment);
  if (!isRollingUpdate(deployment)) return wanted;
  const pods = sum(all, replicasOf);
  const podsMax = wanted + fenceposts(deployment).maxSurge;
  if (pods >= podsMax) return current;
  return current + Math.min(podsMax - pods, wanted - current);
}
