import type { Node, PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import { parseQuantity, type Quantity, quantityCompare } from "#apimachinery/resource/quantity.ts";
import { matchesNodeSelector } from "../node/node-affinity.ts";

const CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";

/** The storage class that a claim asks for; empty for none. */
export function classOfClaim({ metadata, spec }: PersistentVolumeClaim): string {
  return metadata.annotations?.[CLASS_ANNOTATION] ?? spec?.storageClassName ?? "";
}

/** The storage class that a volume belongs to; empty for none. */
export function classOfVolume({ metadata, spec }: PersistentVolume): string {
  return metadata.annotations?.[CLASS_ANNOTATION] ?? spec?.storageClassName ?? "";
}

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
  volumes: readonly PersistentVolume[],
  { node, waits, taken }: Seeker,
): PersistentVolume | undefined {
  const selector = claim.spec?.selector === undefined ? undefined : labelSelectorFromObject(claim.spec.selector);
  const wanted = requested(claim);
  let best: PersistentVolume | undefined;
  for (const volume of volumes) {
    const { claimRef, capacity: _, ...spec } = volume.spec ?? {};
    if (taken?.has(volume.metadata.name ?? "")) continue;
    const isMeant = refersToClaim(volume, claim);
    if (claimRef !== undefined && !isMeant) continue;
    if (quantityCompare(capacity(volume), wanted) < 0 || !modesAgree(volume, claim) || !offersModes(volume, claim)) continue;
    if (attributesClass(volume) !== attributesClass(claim) || volume.metadata.deletionTimestamp !== undefined) continue;
    const reachable = node === undefined || spec.nodeAffinity === undefined || isReachable(volume, node);
    if (isMeant) return reachable ? volume : undefined;
    if (!reachable || (node === undefined && waits)) continue;
    if (volume.status?.phase !== "Available") continue;
    if (selector !== undefined && !selector.matches(volume.metadata.labels)) continue;
    if (classOfVolume(volume) !== classOfClaim(claim)) continue;
    if (best === undefined || isBetter(volume, best)) best = volume;
  }
  return best;
}

function isBetter(a: PersistentVolume, b: PersistentVolume): boolean {
  const modes = (a.spec?.accessModes?.length ?? 0) - (b.spec?.accessModes?.length ?? 0);
  return modes === 0 ? quantityCompare(capacity(a), capacity(b)) < 0 : modes < 0;
}

function offersModes(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const offered = volume.spec?.accessModes ?? [];
  return (claim.spec?.accessModes ?? []).every((mode) => offered.includes(mode));
}

function requested(claim: PersistentVolumeClaim): Quantity {
  return parseQuantity(claim.spec?.resources?.requests?.storage ?? 0);
}

function capacity(volume: PersistentVolume): Quantity {
  return parseQuantity(volume.spec?.capacity?.storage ?? 0);
}

function volumeMode({ spec }: PersistentVolume | PersistentVolumeClaim): string {
  return spec?.volumeMode ?? "Filesystem";
}

function attributesClass({ spec }: PersistentVolume | PersistentVolumeClaim): string {
  return spec?.volumeAttributesClassName ?? "";
}
