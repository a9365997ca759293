import type { PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import type { VolumeAttributesClass } from "#api/generated/storage/v1.ts";

/** Keeps a class while a claim or a volume uses it (KEP-3751). */
export const VAC_FINALIZER = "kubernetes.io/vac-protection";

/** What the decision depends on. */
export interface Observed {
  readonly attributes: VolumeAttributesClass;
  /** A claim or a volume names the class. */
  readonly isUsed: boolean;
}

export interface Action {
  readonly type: "protect" | "letGo";
  readonly attributes: VolumeAttributesClass;
}

/** Puts the finalizer on living classes, and takes it from those that are to go and that nothing uses. */
export function reconcile({ attributes, isUsed }: Observed): readonly Action[] {
  const { finalizers, deletionTimestamp } = attributes.metadata;
  const isProtected = finalizers?.includes(VAC_FINALIZER) ?? false;
  if (deletionTimestamp === undefined) return isProtected ? [] : [{ type: "protect", attributes }];
  return isProtected && !isUsed ? [{ type: "letGo", attributes }] : [];
}

/** The classes of a claim: the one that is wanted, the one that it has, and the one that it is being changed to. */
export function classesOfClaim({ spec, status }: PersistentVolumeClaim): string[] {
  const names = [
    spec.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ];
  return [...new Set(names.filter((name): name is string => name !== undefined && name !== ""))];
}

/** The class of a volume, if it has one. */
export function classesOfVolume({ spec: { volumeAttributesClassName: name } }: PersistentVolume): string[] {
  return name === undefined || name === "" ? [] : [name];
}
