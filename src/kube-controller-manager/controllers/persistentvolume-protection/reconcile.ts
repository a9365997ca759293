import type { PersistentVolume } from "#api/generated/core/v1.ts";

/** Keeps a volume while it is bound. */
export const PV_FINALIZER = "kubernetes.io/pv-protection";

export interface Action {
  readonly type: "protect" | "letGo";
}

/** Puts the finalizer on living volumes, and takes it from those that are to go and are not bound. */
export function reconcile({ metadata, status }: PersistentVolume): readonly Action[] {
  const isProtected = metadata.finalizers?.includes(PV_FINALIZER) ?? false;
  if (metadata.deletionTimestamp === undefined) return isProtected ? [] : [{ type: "protect" }];
  return isProtected && status?.phase !== "Bound" ? [{ type: "letGo" }] : [];
}
