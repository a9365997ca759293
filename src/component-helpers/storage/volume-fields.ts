import type { PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import { parseQuantity, type Quantity } from "#apimachinery/resource/quantity.ts";

const CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";

/** The storage class that a claim asks for; empty for none. */
export function classOfClaim({ metadata, spec }: PersistentVolumeClaim): string {
  return metadata.annotations?.[CLASS_ANNOTATION] ?? spec?.storageClassName ?? "";
}

/** The storage class that a volume belongs to; empty for none. */
export function classOfVolume({ metadata, spec }: PersistentVolume): string {
  return metadata.annotations?.[CLASS_ANNOTATION] ?? spec?.storageClassName ?? "";
}

/** Whether the volume can be used in all the ways that the claim asks for. */
export function offersModes(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const offered = volume.spec?.accessModes ?? [];
  return (claim.spec?.accessModes ?? []).every((mode) => offered.includes(mode));
}

/** How much the claim asks for. */
export function requested(claim: PersistentVolumeClaim): Quantity {
  return parseQuantity(claim.spec?.resources?.requests?.storage ?? 0);
}

/** How much the volume holds. */
export function capacity(volume: PersistentVolume): Quantity {
  return parseQuantity(volume.spec?.capacity?.storage ?? 0);
}

/** A file system or a block device. */
export function volumeMode({ spec }: PersistentVolume | PersistentVolumeClaim): string {
  return spec?.volumeMode ?? "Filesystem";
}

/** The name of its VolumeAttributesClass; empty for none. */
export function attributesClass({ spec }: PersistentVolume | PersistentVolumeClaim): string {
  return spec?.volumeAttributesClassName ?? "";
}
