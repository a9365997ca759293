import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ClusterEvent } from "../../framework/cluster-event.ts";
import type { PodInfo } from "../../framework/pod-info.ts";
import { usesClaim } from "./pod-claims.ts";

/** Only claims that the pod uses matter to it. */
export function hintOfClaim({ pod }: PodInfo, event: ClusterEvent): "Queue" | "Skip" {
  return event.resource === "PersistentVolumeClaim" && usesClaim(pod, event.claim.metadata) ? "Queue" : "Skip";
}

/** A volume that belongs to a claim, and did before, can only be for pods that use that. */
export function hintOfVolume({ pod }: PodInfo, event: ClusterEvent): "Queue" | "Skip" {
  if (event.resource !== "PersistentVolume") return "Skip";
  const owners = [event.volume, ...(event.old === undefined ? [] : [event.old])].map(({ spec }) => spec?.claimRef);
  const mayBeIts = owners.some((ref) => ref === undefined || usesClaim(pod, ref));
  return mayBeIts ? "Queue" : "Skip";
}

/** A class that changes makes volumes elsewhere, or the same as before. */
export function hintOfClass(_: PodInfo, event: ClusterEvent): "Queue" | "Skip" {
  if (event.resource !== "StorageClass") return "Skip";
  const { storageClass, old } = event;
  return old === undefined || !semanticEqual(old.allowedTopologies, storageClass.allowedTopologies) ? "Queue" : "Skip";
}
