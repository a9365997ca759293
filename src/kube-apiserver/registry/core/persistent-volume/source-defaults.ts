import type { PersistentVolumeSpec } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";

/** Upstream's `SetDefaults_*PersistentVolumeSource`. */
export function setSourceDefaults(spec: Draft<PersistentVolumeSpec>): void {
  const { hostPath, iscsi, rbd, azureDisk, scaleIO } = spec;
  if (hostPath) hostPath.type ??= "";
  if (iscsi) iscsi.iscsiInterface ||= "default";
  if (rbd) {
    rbd.pool ||= "rbd";
    rbd.user ||= "admin";
    rbd.keyring ||= "/etc/ceph/keyring";
  }
  if (azureDisk) {
    azureDisk.cachingMode ??= "ReadWrite";
    azureDisk.kind ??= "Shared";
    azureDisk.fsType ??= "ext4";
    azureDisk.readOnly ??= false;
  }
  if (scaleIO) {
    scaleIO.storageMode ||= "ThinProvisioned";
    scaleIO.fsType ||= "xfs";
  }
}
