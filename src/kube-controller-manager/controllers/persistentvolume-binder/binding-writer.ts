import type { PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import type { Client } from "#client/client.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import { referenceTo } from "#client/event-target.ts";
import {
  BETA_STORAGE_PROVISIONER,
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  STORAGE_PROVISIONER,
} from "#component-helpers/storage/annotations.ts";
import { refersToClaim } from "#component-helpers/storage/volume-matching.ts";
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES } from "../../framework/resources.ts";
import type { Action, Told } from "./actions.ts";

/** Carries out what was decided about claims and volumes. A write on an old state fails, and the key comes again. */
export class BindingWriter {
  readonly #client: Client;
  readonly #recorder: EventRecorder;

  constructor(options: { client: Client; recorder: EventRecorder }) {
    this.#client = options.client;
    this.#recorder = options.recorder;
  }

  async execute(actions: readonly Action[]): Promise<void> {
    // Two actions on one volume: the second goes on from what the first wrote.
    let volume: PersistentVolume | undefined;
    for (const action of actions) {
      switch (action.type) {
        case "bind":
          await this.#bind(action.claim, action.volume);
          break;
        case "unbind":
          volume = await this.#unbind(action.volume);
          break;
        case "claimPhase":
          await this.#claimPhase(action.claim, action.phase, action.told);
          break;
        case "volumePhase":
          volume = await this.#volumePhase(volume ?? action.volume, action.phase, action.told);
          break;
        case "tellClaim":
          this.#tellClaim(action.claim, action.told);
          break;
        case "provision":
          await this.#provision(action.claim, action.provisioner);
          break;
      }
    }
  }

  async #bind(claim: PersistentVolumeClaim, volume: PersistentVolume): Promise<void> {
    const bound = await this.#volumePhase(await this.#pointVolume(volume, claim), "Bound");
    const pointed = await this.#pointClaim(claim, bound);
    const storage = bound.spec?.capacity?.storage;
    const { status = {} } = pointed;
    const accessModes = bound.spec?.accessModes ?? [];
    const grown = status.phase === "Bound" && status.capacity?.storage !== undefined;
    const capacity = grown ? status.capacity : { ...status.capacity, ...(storage === undefined ? {} : { storage }) };
    const next = { ...status, phase: "Bound", accessModes, ...(capacity === undefined ? {} : { capacity }) };
    if (JSON.stringify(next) === JSON.stringify({ ...status })) return;
    await this.#updateClaim({ ...pointed, status: next } as PersistentVolumeClaim, "status");
  }

  async #pointVolume(volume: PersistentVolume, claim: PersistentVolumeClaim): Promise<PersistentVolume> {
    const { claimRef } = volume.spec ?? {};
    const { annotations = {} } = volume.metadata;
    const isMeant = refersToClaim(volume, claim);
    if (isMeant && claimRef?.uid === claim.metadata.uid) return volume;
    const marked = isMeant ? annotations : { ...annotations, [BOUND_BY_CONTROLLER]: "yes" };
    const metadata = { ...volume.metadata, ...(Object.keys(marked).length === 0 ? {} : { annotations: marked }) };
    const reference = referenceTo("v1", "PersistentVolumeClaim", claim);
    return this.#updateVolume({ ...volume, metadata, spec: { ...volume.spec, claimRef: reference } });
  }

  async #pointClaim(claim: PersistentVolumeClaim, volume: PersistentVolume): Promise<PersistentVolumeClaim> {
    const { annotations = {}, ...metadata } = claim.metadata;
    const volumeName = volume.metadata.name ?? "";
    const names = claim.spec?.volumeName === volumeName;
    if (names && annotations[BIND_COMPLETED] !== undefined) return claim;
    const chosen = claim.spec?.volumeName ? {} : { [BOUND_BY_CONTROLLER]: "yes" };
    const marked = { ...annotations, ...chosen, [BIND_COMPLETED]: "yes" };
    return this.#updateClaim({ ...claim, metadata: { ...metadata, annotations: marked }, spec: { ...claim.spec, volumeName } });
  }

  async #unbind(volume: PersistentVolume): Promise<PersistentVolume> {
    const { claimRef, ...spec } = volume.spec ?? {};
    const { [BOUND_BY_CONTROLLER]: chosen, ...annotations } = volume.metadata.annotations ?? {};
    // A reference that a user wrote stays, without the claim that it once meant.
    const { uid: _, resourceVersion: __, ...kept } = claimRef ?? {};
    const next = chosen === undefined ? { ...spec, claimRef: kept } : spec;
    const freed = await this.#updateVolume({ ...volume, metadata: { ...volume.metadata, annotations }, spec: next });
    return this.#volumePhase(freed, "Available");
  }

  async #claimPhase(claim: PersistentVolumeClaim, phase: string, told: Told | undefined): Promise<void> {
    if (claim.status?.phase === phase) return;
    await this.#updateClaim({ ...claim, status: { phase } } as PersistentVolumeClaim, "status");
    if (told !== undefined) this.#tellClaim(claim, told);
  }

  async #volumePhase(volume: PersistentVolume, phase: string, told?: Told): Promise<PersistentVolume> {
    const { message: before, ...status } = volume.status ?? {};
    if (status.phase === phase && before === told?.message) return volume;
    const next = { ...status, phase, ...(told === undefined ? {} : { message: told.message }) };
    const written = await this.#updateVolume({ ...volume, status: next } as PersistentVolume, "status");
    if (told !== undefined) {
      this.#recorder.event(referenceTo("v1", "PersistentVolume", written), told.type, told.reason, told.message);
    }
    return written;
  }

  async #provision(claim: PersistentVolumeClaim, provisioner: string): Promise<void> {
    const { annotations = {}, ...metadata } = claim.metadata;
    if (annotations[STORAGE_PROVISIONER] !== provisioner) {
      const marked = { ...annotations, [BETA_STORAGE_PROVISIONER]: provisioner, [STORAGE_PROVISIONER]: provisioner };
      await this.#updateClaim({ ...claim, metadata: { ...metadata, annotations: marked } });
    }
    const message =
      `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. ` +
      "If volume creation is delayed, please verify that the provisioner is running and correctly registered.";
    this.#tellClaim(claim, { type: "Normal", reason: "ExternalProvisioning", message });
  }

  #tellClaim(claim: PersistentVolumeClaim, { type, reason, message }: Told): void {
    this.#recorder.event(referenceTo("v1", "PersistentVolumeClaim", claim), type, reason, message);
  }

  #updateVolume(volume: Draft<PersistentVolume> | PersistentVolume, subresource = ""): Promise<PersistentVolume> {
    const options = subresource === "" ? {} : { subresource };
    return this.#client.update<PersistentVolume>(
      PERSISTENT_VOLUMES,
      "",
      volume.metadata?.name ?? "",
      volume as PersistentVolume,
      options,
    );
  }

  #updateClaim(claim: Draft<PersistentVolumeClaim> | PersistentVolumeClaim, subresource = ""): Promise<PersistentVolumeClaim> {
    const { namespace = "", name = "" } = claim.metadata ?? {};
    const options = subresource === "" ? {} : { subresource };
    return this.#client.update<PersistentVolumeClaim>(
      PERSISTENT_VOLUME_CLAIMS,
      namespace,
      name,
      claim as PersistentVolumeClaim,
      options,
    );
  }
}
