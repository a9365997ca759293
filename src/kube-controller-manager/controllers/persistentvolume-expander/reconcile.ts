import type { PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import { parseQuantity, type Quantity, quantityCompare, ZERO_QUANTITY } from "#apimachinery/resource/quantity.ts";
import { migratedPlugin } from "./migrated-plugins.ts";

/** On a volume: its size before an expansion that its file system has not seen yet. */
const PRE_RESIZE_CAPACITY = "volume.alpha.kubernetes.io/pre-resize-capacity";
/** On a claim: the driver that is to expand its volume. */
export const STORAGE_RESIZER = "volume.kubernetes.io/storage-resizer";

/** What the decision depends on. */
export interface Observed {
  readonly claim: PersistentVolumeClaim;
  /** The one that the claim names; undefined when it is not known (yet). */
  readonly volume: PersistentVolume | undefined;
}

export type Action =
  | { readonly type: "event"; readonly message: string }
  | { readonly type: "setResizer"; readonly driver: string }
  /** Nothing can be said now; try again. */
  | { readonly type: "fail"; readonly message: string };

/**
 * Who will expand a claim's volume. The controller manager carries no plugin that could: it hands over to the volume's
 * driver and says so. Upstream's `expandController.syncHandler`.
 */
export function reconcile({ claim, volume }: Observed): readonly Action[] {
  const { namespace = "", name = "", uid } = claim.metadata;
  if (volume === undefined) {
    return [{ type: "fail", message: `failed to get PV in cache with name ${claim.spec?.volumeName ?? ""}` }];
  }
  const owner = volume.spec?.claimRef;
  if (owner === undefined || owner.namespace !== namespace || owner.uid !== uid) {
    return [{ type: "fail", message: `persistent Volume is not bound to PVC being updated : ${namespace}/${name}` }];
  }
  const grown = quantityCompare(requestedStorage(claim), actualStorage(claim)) > 0;
  if (!grown && volume.metadata.annotations?.[PRE_RESIZE_CAPACITY] === undefined) return [];
  const migrated = migratedPlugin(volume.spec ?? {});
  if (migrated === undefined) return [{ type: "event", message: "waiting for an external controller to expand this PVC" }];
  const message = `CSI migration enabled for ${migrated.plugin}; waiting for external resizer to expand the pvc`;
  const known = claim.metadata.annotations?.[STORAGE_RESIZER] === migrated.driver;
  return [{ type: "event", message }, ...(known ? [] : [{ type: "setResizer" as const, driver: migrated.driver }])];
}

/** Whether a change of a claim may call for an expansion, or end one. */
export function isWorthALook(old: PersistentVolumeClaim | undefined, claim: PersistentVolumeClaim): boolean {
  if (claim.status?.phase !== "Bound") return false;
  if (old === undefined) return true;
  return (
    quantityCompare(requestedStorage(claim), requestedStorage(old)) > 0 ||
    quantityCompare(actualStorage(claim), actualStorage(old)) > 0
  );
}

function requestedStorage({ spec }: PersistentVolumeClaim): Quantity {
  return quantityOf(spec?.resources?.requests?.storage);
}

function actualStorage({ status }: PersistentVolumeClaim): Quantity {
  return quantityOf(status?.capacity?.storage);
}

function quantityOf(value: string | number | undefined): Quantity {
  return value === undefined ? ZERO_QUANTITY : parseQuantity(value);
}
