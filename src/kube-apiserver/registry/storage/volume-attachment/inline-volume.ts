import type { PersistentVolumeSpec } from "#api/generated/core/v1.ts";
import { type FieldError, forbidden, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateSource } from "../../core/persistent-volume/sources.ts";

const ACCESS_MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const INLINE = "in the context of inline volumes";

/** Upstream's `ValidatePersistentVolumeSpec` of a volume that no object stands for: a CSI volume, and nothing of claims. */
export function validateInlineVolume(spec: PersistentVolumeSpec, path: FieldPath): FieldError[] {
  const {
    claimRef,
    capacity = {},
    csi,
    persistentVolumeReclaimPolicy: reclaim,
    nodeAffinity,
    storageClassName,
    volumeMode,
  } = spec;
  const errors: FieldError[] = [];
  const refuse = (field: string): void => {
    errors.push(forbidden(path.child(field), `may not be specified ${INLINE}`));
  };
  if (claimRef !== undefined) refuse("claimRef");
  if (Object.keys(capacity).length > 0) refuse("capacity");
  if (csi === undefined) errors.push(required(path.child("csi"), `has to be specified ${INLINE}`));
  errors.push(...accessModeErrors(spec.accessModes ?? [], path.child("accessModes")));
  if (reclaim && reclaim !== "Retain") {
    errors.push(forbidden(path.child("persistentVolumeReclaimPolicy"), `may only be Retain ${INLINE}`));
  }
  if (nodeAffinity !== undefined) refuse("nodeAffinity");
  errors.push(...validateSource(spec, "", path));
  if (storageClassName) refuse("storageClassName");
  if (volumeMode !== undefined && volumeMode !== "Filesystem") {
    errors.push(forbidden(path.child("volumeMode"), `may not specify volumeMode other than Filesystem ${INLINE}`));
  }
  return errors;
}

function accessModeErrors(modes: readonly string[], at: FieldPath): FieldError[] {
  const errors = modes.length === 0 ? [required(at, "")] : [];
  for (const mode of modes) if (!ACCESS_MODES.includes(mode)) errors.push(notSupported(at, mode, ACCESS_MODES));
  const hasOther = modes.some((mode) => mode !== "ReadWriteOncePod" && ACCESS_MODES.includes(mode));
  if (!hasOther || !modes.includes("ReadWriteOncePod")) return errors;
  return [...errors, forbidden(at, "may not use ReadWriteOncePod with other access modes")];
}
