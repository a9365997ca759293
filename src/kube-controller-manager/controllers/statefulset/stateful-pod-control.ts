import type { StatefulSet } from "#api/generated/apps/v1.ts";
import type { PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import { aggregateMessages, isAlreadyExists, isConflict, isNotFound } from "#apimachinery/api-errors/errors.ts";
import type { Client } from "#client/client.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import { referenceTo } from "#client/event-target.ts";
import type { Expectations } from "../../framework/expectations.ts";
import { PERSISTENT_VOLUME_CLAIMS, PODS } from "../../framework/resources.ts";
import { ownersUpToDate, wantedOwners } from "./claim-retention.ts";
import { claimsOf, storageMatches, withStorage } from "./claims.ts";
import { identityMatches, withIdentity } from "./identity.ts";
import type { PodStep } from "./plan.ts";
import type { WrittenClaims } from "./written-claims.ts";

/** Attempts to write an object that others change at the same time. */
const UPDATE_ATTEMPTS_MAX = 4;

/** What {@link StatefulPodControl} works with. */
export interface StatefulPodControlOptions {
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly claims: WrittenClaims;
  /** Of pods, by the set's uid. */
  readonly written: Expectations;
}

/** Carries out steps about single members, and tells users of it. Upstream's `StatefulPodControl`. */
export class StatefulPodControl {
  readonly #client: Client;
  readonly #recorder: EventRecorder;
  readonly #claims: WrittenClaims;
  readonly #written: Expectations;

  constructor({ client, recorder, claims, written }: StatefulPodControlOptions) {
    this.#client = client;
    this.#recorder = recorder;
    this.#claims = claims;
    this.#written = written;
  }

  /** Rejects when the step failed; users were told then. */
  async run(set: StatefulSet, step: PodStep): Promise<void> {
    switch (step.type) {
      case "create":
        return this.#create(set, step.pod);
      case "delete":
        return this.delete(set, step.pod);
      case "update":
        return this.#update(set, step.pod);
      case "ensureClaims":
        await this.#ensureClaims(set, step.pod);
        return this.#told("Update", set, step.pod, () => this.#putOwnersRight(set, step.pod), false);
      case "claimOwners":
        return this.#putOwnersRight(set, step.pod);
    }
  }

  /** Also for pods that are to come back updated. */
  async delete(set: StatefulSet, pod: Pod): Promise<void> {
    const { namespace = "", name = "", uid = "" } = pod.metadata;
    const setUid = set.metadata.uid ?? "";
    await this.#told("Delete", set, pod, async () => {
      this.#written.deleting(setUid, pod);
      try {
        await this.#client.delete(PODS, namespace, name, { preconditions: { uid } });
      } catch (error) {
        this.#written.notDeleting(setUid, pod);
        throw error;
      }
    });
  }

  async #create(set: StatefulSet, pod: Pod): Promise<void> {
    await this.#told("Create", set, pod, () => this.#ensureClaims(set, pod), false);
    try {
      const created = await this.#client.create<Pod>(PODS, set.metadata.namespace ?? "", pod);
      this.#written.wrote(set.metadata.uid ?? "", created.metadata.resourceVersion);
    } catch (error) {
      // Somebody else's pod has the name: trying again later is all that can be done.
      if (!isAlreadyExists(error)) this.#tellOfPod("Create", set, pod, error);
      throw error;
    }
    await this.#told("Update", set, pod, () => this.#putOwnersRight(set, pod), false);
    this.#tellOfPod("Create", set, pod, undefined);
  }

  async #update(set: StatefulSet, pod: Pod): Promise<void> {
    const { namespace = "", name = "" } = pod.metadata;
    await this.#told("Update", set, pod, async () => {
      if (!storageMatches(set, pod)) await this.#ensureClaims(set, pod);
      await this.#putOwnersRight(set, pod);
      if (identityMatches(set, pod) && storageMatches(set, pod)) return;
      const updated = await this.#retryOnConflict(
        pod,
        () => this.#client.get<Pod>(PODS, namespace, name),
        (fresh) => this.#client.update<Pod>(PODS, namespace, name, withStorage(set, withIdentity(set, fresh))),
      );
      this.#written.wrote(set.metadata.uid ?? "", updated.metadata.resourceVersion);
    });
  }

  async #ensureClaims(set: StatefulSet, pod: Pod): Promise<void> {
    const failures: string[] = [];
    for (const claim of claimsOf(set, pod).values()) {
      const { namespace = "", name = "" } = claim.metadata;
      const there = this.#claims.get(namespace, name);
      if (there !== undefined) {
        if (there.metadata.deletionTimestamp !== undefined) failures.push(`pvc ${name} is being deleted`);
        continue;
      }
      try {
        this.#claims.wrote(await this.#client.create<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS, namespace, claim));
        this.#tellOfClaim(set, pod, name, undefined);
      } catch (error) {
        failures.push(`failed to create PVC ${name}: ${messageOf(error)}`);
        if (!isAlreadyExists(error)) this.#tellOfClaim(set, pod, name, error);
      }
    }
    if (failures.length > 0) throw new Error(aggregateMessages(failures));
  }

  async #putOwnersRight(set: StatefulSet, pod: Pod): Promise<void> {
    for (const { metadata } of claimsOf(set, pod).values()) {
      const { namespace = "", name = "" } = metadata;
      const there = this.#claims.get(namespace, name);
      if (there === undefined || ownersUpToDate(set, pod, there)) continue;
      try {
        const updated = await this.#retryOnConflict(
          there,
          () => this.#client.get<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS, namespace, name),
          (fresh) => {
            const owned = { ...fresh, metadata: { ...fresh.metadata, ownerReferences: [...wantedOwners(set, pod, fresh)] } };
            return this.#client.update<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS, namespace, name, owned);
          },
        );
        this.#claims.wrote(updated);
      } catch (error) {
        if (isNotFound(error)) continue;
        throw new Error(`could not update claim ${name} for delete policy ownerRefs: ${messageOf(error)}`, { cause: error });
      }
    }
  }

  async #retryOnConflict<T>(first: T, read: () => Promise<T>, write: (fresh: T) => Promise<T>): Promise<T> {
    let fresh = first;
    for (let attempt = 1; ; attempt++) {
      try {
        return await write(fresh);
      } catch (error) {
        if (!isConflict(error) || attempt === UPDATE_ATTEMPTS_MAX) throw error;
        fresh = await read();
      }
    }
  }

  async #told(verb: string, set: StatefulSet, pod: Pod, work: () => Promise<void>, tellSuccess = true): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#tellOfPod(verb, set, pod, error);
      throw error;
    }
    if (tellSuccess) this.#tellOfPod(verb, set, pod, undefined);
  }

  #tellOfPod(verb: string, set: StatefulSet, pod: Pod, error: unknown): void {
    const what = `${verb} Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
    if (error === undefined) this.#tell(set, "Normal", `Successful${verb}`, `${what} successful`);
    else this.#tell(set, "Warning", `Failed${verb}`, `${what} failed error: ${messageOf(error)}`);
  }

  #tellOfClaim(set: StatefulSet, pod: Pod, claim: string, error: unknown): void {
    const where = `Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
    if (error === undefined) this.#tell(set, "Normal", "SuccessfulCreate", `Create Claim ${claim} ${where} success`);
    else {
      const message = `Create Claim ${claim} for ${where} failed error: ${messageOf(error)}`;
      this.#tell(set, "Warning", "FailedCreate", message);
    }
  }

  #tell(set: StatefulSet, type: "Normal" | "Warning", reason: string, message: string): void {
    this.#recorder.event(referenceTo("apps/v1", "StatefulSet", set), type, reason, message);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
