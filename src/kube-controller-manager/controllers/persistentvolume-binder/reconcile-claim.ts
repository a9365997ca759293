import type { PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import type { StorageClass } from "#api/generated/storage/v1.ts";
import { BIND_COMPLETED, BOUND_BY_CONTROLLER, SELECTED_NODE } from "#component-helpers/storage/annotations.ts";
import { classOfClaim } from "#component-helpers/storage/volume-fields.ts";
import { claimMismatch, findVolume, refersToClaim } from "#component-helpers/storage/volume-matching.ts";
import type { VolumePool } from "#component-helpers/storage/volume-pool.ts";
import type { RequeueAction } from "../../framework/controller.ts";
import type { Action, Told } from "./actions.ts";
import { provisionerOf } from "./provisioner.ts";

/** What the decision about a claim depends on. */
export interface ObservedClaim {
  readonly kind: "claim";
  readonly claim: PersistentVolumeClaim;
  /** All that there are, as claims look for them. */
  readonly volumes: VolumePool;
  /** The volume that the claim names. */
  readonly named: PersistentVolume | undefined;
  /** The class that the claim asks for. */
  readonly storageClass: StorageClass | undefined;
  /** Names of pods that use the claim and have no node. */
  readonly waitingPods: readonly string[];
}

/** A claim without a volume is looked at again this often; upstream's `--pvclaimbinder-sync-period`. */
const RETRY: RequeueAction = { type: "requeue", afterMs: 15_000 };

/** Upstream's `syncClaim`. */
export function reconcileClaim(observed: ObservedClaim): readonly (Action | RequeueAction)[] {
  const { claim } = observed;
  if (claim.metadata.annotations?.[BIND_COMPLETED] !== undefined) return bound(observed);
  return claim.spec?.volumeName ? [...naming(observed), RETRY] : searching(observed);
}

function searching({ claim, volumes, storageClass, waitingPods }: ObservedClaim): readonly (Action | RequeueAction)[] {
  const hasNode = claim.metadata.annotations?.[SELECTED_NODE] !== undefined;
  const waits = storageClass?.volumeBindingMode === "WaitForFirstConsumer" && !hasNode;
  const volume = findVolume(claim, volumes, { waits });
  if (volume !== undefined) return [{ type: "bind", claim, volume }];
  const pending: Action = { type: "claimPhase", claim, phase: "Pending" };
  if (waits) return [{ type: "tellClaim", claim, told: waitingFor(waitingPods) }, pending, RETRY];
  const className = classOfClaim(claim);
  if (className === "") {
    const message = "no persistent volumes available for this claim and no storage class is set";
    return [{ type: "tellClaim", claim, told: { type: "Normal", reason: "FailedBinding", message } }, pending, RETRY];
  }
  const provisioner = provisionerOf(className, storageClass);
  if ("name" in provisioner) return [{ type: "provision", claim, provisioner: provisioner.name }, RETRY];
  const told: Told = { type: "Warning", reason: "ProvisioningFailed", message: provisioner.error };
  return [{ type: "tellClaim", claim, told }, RETRY];
}

function waitingFor(pods: readonly string[]): Told {
  if (pods.length === 0) {
    return { type: "Normal", reason: "WaitForFirstConsumer", message: "waiting for first consumer to be created before binding" };
  }
  const message = `waiting for pod${pods.length > 1 ? "s" : ""} ${pods.join(",")} to be scheduled`;
  return { type: "Normal", reason: "WaitForPodScheduled", message };
}

function naming({ claim, named }: ObservedClaim): readonly Action[] {
  const pending = (told?: Told): Action => ({
    type: "claimPhase",
    claim,
    phase: "Pending",
    ...(told === undefined ? {} : { told }),
  });
  if (named === undefined) return [pending()];
  const name = named.metadata.name ?? "";
  if (named.spec?.claimRef === undefined) {
    const mismatch = claimMismatch(named, claim);
    if (mismatch === undefined) return [{ type: "bind", claim, volume: named }];
    const message = `Cannot bind to requested volume "${name}": ${mismatch}`;
    return [{ type: "tellClaim", claim, told: { type: "Warning", reason: "VolumeMismatch", message } }, pending()];
  }
  if (refersToClaim(named, claim)) return [{ type: "bind", claim, volume: named }];
  // A controller's own choice that somebody else was faster with is an error that passes.
  if (claim.metadata.annotations?.[BOUND_BY_CONTROLLER] !== undefined) return [];
  const message = `volume "${name}" already bound to a different claim.`;
  return [{ type: "tellClaim", claim, told: { type: "Warning", reason: "FailedBinding", message } }, pending()];
}

function bound({ claim, named }: ObservedClaim): readonly Action[] {
  const lost = (reason: string, message: string): Action[] => [
    { type: "claimPhase", claim, phase: "Lost", told: { type: "Warning", reason, message } },
  ];
  if (!claim.spec?.volumeName) {
    return lost("ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!");
  }
  if (named === undefined) return lost("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
  const { claimRef } = named.spec ?? {};
  if (claimRef === undefined || claimRef.uid === claim.metadata.uid) return [{ type: "bind", claim, volume: named }];
  return lost("ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly");
}
