import type { PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import { PROVISIONED_BY } from "#component-helpers/storage/annotations.ts";
import { modesAgree } from "#component-helpers/storage/volume-matching.ts";
import type { Action } from "./actions.ts";
import { isExternal } from "./provisioner.ts";

/** What the decision about a volume depends on. */
export interface ObservedVolume {
  readonly kind: "volume";
  readonly volume: PersistentVolume;
  /** The claim of the name that the volume refers to. */
  readonly claim: PersistentVolumeClaim | undefined;
}

/** Upstream's `syncVolume`. Claims that have yet to take the volume are looked at by themselves. */
export function reconcileVolume({ volume, claim }: ObservedVolume): readonly Action[] {
  const { claimRef } = volume.spec ?? {};
  if (!claimRef?.uid) return phase(volume, "Available");
  if (claim === undefined || claim.metadata.uid !== claimRef.uid) return released(volume);
  if (!claim.spec?.volumeName) {
    if (modesAgree(volume, claim)) return [];
    const message = `Cannot bind PersistentVolume "${volume.metadata.name}" to requested PersistentVolumeClaim "${claim.metadata.name}" due to incompatible volumeMode.`;
    return [{ type: "tellClaim", claim, told: { type: "Warning", reason: "VolumeMismatch", message } }];
  }
  if (claim.spec.volumeName === volume.metadata.name) return phase(volume, "Bound");
  const provisioned = volume.metadata.annotations?.[PROVISIONED_BY] !== undefined;
  return provisioned && volume.spec?.persistentVolumeReclaimPolicy === "Delete" ? released(volume) : [{ type: "unbind", volume }];
}

function phase(volume: PersistentVolume, next: "Available" | "Bound"): readonly Action[] {
  return volume.status?.phase === next && volume.status.message === undefined
    ? []
    : [{ type: "volumePhase", volume, phase: next }];
}

/** Its claim is gone. Volumes of outside drivers are deleted by these; of the others none can be. */
function released(volume: PersistentVolume): readonly Action[] {
  const known = volume.status?.phase === "Released" || volume.status?.phase === "Failed";
  const actions: Action[] = known ? [] : [{ type: "volumePhase", volume, phase: "Released" }];
  const policy = volume.spec?.persistentVolumeReclaimPolicy;
  const fail = (reason: string, message: string): void => {
    const { status } = volume;
    if (status?.phase === "Failed" && status.message === message) return;
    actions.push({ type: "volumePhase", volume, phase: "Failed", told: { type: "Warning", reason, message } });
  };
  if (policy === "Recycle") fail("VolumeFailedRecycle", "No recycler plugin found for the volume!");
  if (policy === "Delete" && !isExternal(volume.metadata.annotations?.[PROVISIONED_BY] ?? "")) {
    const { name } = volume.metadata;
    fail("VolumeFailedDelete", `error getting deleter volume plugin for volume "${name}": no deletable volume plugin matched`);
  }
  return actions;
}
