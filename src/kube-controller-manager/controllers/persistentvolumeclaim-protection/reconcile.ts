import type { PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import { controllerOf } from "#component-helpers/pod/owner.ts";
import { isPodTerminal } from "#component-helpers/pod/pod-conditions.ts";

/** Keeps a claim while a pod uses it. */
export const PVC_FINALIZER = "kubernetes.io/pvc-protection";

/** What the decision depends on. */
export interface Observed {
  readonly claim: PersistentVolumeClaim;
  /** Pods that mount the claim. */
  readonly pods: readonly Pod[];
}

export interface Action {
  /** Let the claim go, unless the server knows of a pod that uses it. */
  readonly type: "protect" | "letGo";
  readonly claim: PersistentVolumeClaim;
}

/** Puts the finalizer on living claims, and takes it from those that are to go and that no pod uses. */
export function reconcile({ claim, pods }: Observed): readonly Action[] {
  const isProtected = claim.metadata.finalizers?.includes(PVC_FINALIZER) ?? false;
  if (claim.metadata.deletionTimestamp === undefined) return isProtected ? [] : [{ type: "protect", claim }];
  return isProtected && !pods.some((pod) => usesClaim(pod, claim)) ? [{ type: "letGo", claim }] : [];
}

/** The names of the claims that a pod mounts, its own ephemeral ones (KEP-1698) included. */
export function claimNamesOf({ metadata, spec }: Pod): string[] {
  return (spec.volumes ?? []).flatMap((volume) => {
    if (volume.persistentVolumeClaim !== undefined) return [volume.persistentVolumeClaim.claimName];
    return volume.ephemeral === undefined ? [] : [`${metadata.name}-${volume.name}`];
  });
}

/** Nodes refuse a pod whose claim is going, so that pods without node do not count, nor ephemeral claims of ended pods. */
export function usesClaim(pod: Pod, claim: PersistentVolumeClaim): boolean {
  if (!pod.spec.nodeName) return false;
  return (pod.spec.volumes ?? []).some((volume) => {
    if (volume.persistentVolumeClaim !== undefined) return volume.persistentVolumeClaim.claimName === claim.metadata.name;
    if (volume.ephemeral === undefined || isShutDown(pod)) return false;
    return claim.metadata.name === `${pod.metadata.name}-${volume.name}` && controllerOf(claim)?.uid === pod.metadata.uid;
  });
}

function isShutDown(pod: Pod): boolean {
  return isPodTerminal(pod) && pod.metadata.deletionTimestamp !== undefined && pod.metadata.deletionGracePeriodSeconds === 0;
}
