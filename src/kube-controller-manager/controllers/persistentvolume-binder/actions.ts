import type { PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";

/** What is told about a claim or a volume. */
export interface Told {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export type Action =
  /** Both sides are made to point at each other. */
  | { readonly type: "bind"; readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }
  /** The volume forgets its claim. */
  | { readonly type: "unbind"; readonly volume: PersistentVolume }
  | {
      readonly type: "claimPhase";
      readonly claim: PersistentVolumeClaim;
      readonly phase: "Pending" | "Lost";
      readonly told?: Told;
    }
  | {
      readonly type: "volumePhase";
      readonly volume: PersistentVolume;
      readonly phase: "Available" | "Bound" | "Released" | "Failed";
      readonly told?: Told;
    }
  | { readonly type: "tellClaim"; readonly claim: PersistentVolumeClaim; readonly told: Told }
  /** Somebody outside is asked to make a volume. */
  | { readonly type: "provision"; readonly claim: PersistentVolumeClaim; readonly provisioner: string };
