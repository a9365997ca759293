import type { PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import { controllerOf } from "#component-helpers/pod/owner.ts";
import { BIND_COMPLETED } from "#component-helpers/storage/annotations.ts";
import { classOfClaim } from "#component-helpers/storage/volume-fields.ts";
import type { ClusterLister } from "../../framework/cluster-lister.ts";

/** The claims that a pod uses. */
export interface PodClaims {
  /** They have their volumes. */
  readonly bound: readonly PersistentVolumeClaim[];
  /** They get their volumes when it is known where the pod will run. */
  readonly waiting: readonly PersistentVolumeClaim[];
  /** They are to have their volumes already, and have not. */
  readonly unbound: readonly PersistentVolumeClaim[];
}

/** The pod's claims, or why it cannot run with them; undefined when it uses none. */
export function podClaims(pod: Pod, cluster: ClusterLister): PodClaims | { error: string } | undefined {
  const { namespace = "", name: podName = "" } = pod.metadata;
  const bound: PersistentVolumeClaim[] = [];
  const waiting: PersistentVolumeClaim[] = [];
  const unbound: PersistentVolumeClaim[] = [];
  for (const { name: volumeName, persistentVolumeClaim, ephemeral } of pod.spec.volumes ?? []) {
    if (persistentVolumeClaim === undefined && ephemeral === undefined) continue;
    const name = persistentVolumeClaim?.claimName ?? `${podName}-${volumeName}`;
    const claim = cluster.claim(namespace, name);
    const error = claim === undefined ? missing(name, ephemeral !== undefined) : problem(claim, pod, ephemeral !== undefined);
    if (error !== undefined) return { error };
    if (claim === undefined) continue;
    if (isBound(claim)) bound.push(claim);
    else if (!claim.spec?.volumeName && waitsForPod(claim, cluster)) waiting.push(claim);
    else unbound.push(claim);
  }
  return bound.length + waiting.length + unbound.length === 0 ? undefined : { bound, waiting, unbound };
}

/** Whether the pod uses the claim, be it one that is made for it. */
export function usesClaim({ metadata, spec }: Pod, claim: { readonly namespace?: string; readonly name?: string }): boolean {
  if (metadata.namespace !== claim.namespace) return false;
  return (spec.volumes ?? []).some(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim !== undefined) return persistentVolumeClaim.claimName === claim.name;
    return ephemeral !== undefined && `${metadata.name}-${name}` === claim.name;
  });
}

/** The claim has a volume, and both sides know. */
export function isBound({ metadata, spec }: PersistentVolumeClaim): boolean {
  return Boolean(spec?.volumeName) && metadata.annotations?.[BIND_COMPLETED] !== undefined;
}

function waitsForPod(claim: PersistentVolumeClaim, cluster: ClusterLister): boolean {
  return cluster.storageClass(classOfClaim(claim))?.volumeBindingMode === "WaitForFirstConsumer";
}

function missing(name: string, isEphemeral: boolean): string {
  return isEphemeral
    ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
    : `persistentvolumeclaim "${name}" not found`;
}

function problem(claim: PersistentVolumeClaim, pod: Pod, isEphemeral: boolean): string | undefined {
  const { namespace, name } = claim.metadata;
  if (claim.status?.phase === "Lost") {
    return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec?.volumeName ?? ""}"`;
  }
  if (claim.metadata.deletionTimestamp !== undefined) return `persistentvolumeclaim "${name}" is being deleted`;
  if (!isEphemeral || controllerOf(claim)?.uid === pod.metadata.uid) return undefined;
  return `PVC ${namespace}/${name} was not created for pod ${pod.metadata.namespace}/${pod.metadata.name} (pod is not owner)`;
}
