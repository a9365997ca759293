import type { Node, PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import { quantityCompare } from "#apimachinery/resource/quantity.ts";
import { matchesNodeSelector } from "../node/node-affinity.ts";
import { attributesClass, capacity, classOfClaim, classOfVolume, offersModes, requested, volumeMode } from "./volume-fields.ts";
import type { VolumePool } from "./volume-pool.ts";

/** Whether the volume refers to the claim; a reference without UID means any claim of that name. */
export function refersToClaim(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const { claimRef } = volume.spec ?? {};
  if (claimRef === undefined) return false;
  if (claimRef.name !== claim.metadata.name || claimRef.namespace !== claim.metadata.namespace) return false;
  return !claimRef.uid || claimRef.uid === claim.metadata.uid;
}

/** Why the volume cannot serve the claim that names it; undefined when it can. */
export function claimMismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  if (quantityCompare(requested(claim), capacity(volume)) > 0) return "requested PV is too small";
  if (classOfVolume(volume) !== classOfClaim(claim)) return "storageClassName does not match";
  if (attributesClass(volume) !== attributesClass(claim)) return "volumeAttributesClassName does not match";
  if (volumeMode(volume) !== volumeMode(claim)) return "incompatible volumeMode";
  return offersModes(volume, claim) ? undefined : "incompatible accessMode";
}

/** Whether the volume can be reached from the node. */
export function isReachable(volume: PersistentVolume, node: Node): boolean {
  const required = volume.spec?.nodeAffinity?.required;
  return required === undefined || matchesNodeSelector(required, node);
}

/** Whether both are file systems, or both block devices. */
export function modesAgree(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  return volumeMode(volume) === volumeMode(claim);
}

/** For whom a volume is sought. */
export interface Seeker {
  /** The node that it has to be reachable from; none for claims that are bound at once. */
  readonly node?: Node;
  /** The claim waits for its pod: without a node only a volume that refers to the claim will do. */
  readonly waits: boolean;
  /** Names of volumes that are promised to others. */
  readonly taken?: ReadonlySet<string>;
}

/**
 * The volume for a claim: one that refers to it, else the smallest that is large enough, first among those that offer
 * the fewest access modes beside the ones asked for. Upstream's `FindMatchingVolume`.
 */
export function findVolume(
  claim: PersistentVolumeClaim,
  volumes: VolumePool,
  { node, waits, taken }: Seeker,
): PersistentVolume | undefined {
  const canServe = (volume: PersistentVolume): boolean =>
    volume.metadata.deletionTimestamp === undefined && !taken?.has(volume.metadata.name ?? "");
  const reaches = (volume: PersistentVolume): boolean => node === undefined || isReachable(volume, node);
  for (const volume of volumes.referringTo(claim)) {
    if (!refersToClaim(volume, claim) || !canServe(volume)) continue;
    if (quantityCompare(capacity(volume), requested(claim)) < 0 || !modesAgree(volume, claim)) continue;
    if (!offersModes(volume, claim) || attributesClass(volume) !== attributesClass(claim)) continue;
    return reaches(volume) ? volume : undefined;
  }
  if (node === undefined && waits) return undefined;
  const selector = claim.spec?.selector === undefined ? undefined : labelSelectorFromObject(claim.spec.selector);
  for (const volume of volumes.freeFor(claim, node)) {
    if (volume.status?.phase !== "Available" || !canServe(volume) || !reaches(volume)) continue;
    if (selector === undefined || selector.matches(volume.metadata.labels)) return volume;
  }
  return undefined;
}
