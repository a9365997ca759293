import type { Pod } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { Clock } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import { referenceTo } from "#client/event-target.ts";
import { Expectations, type Mirror } from "./expectations.ts";
import { isNamespaceTerminating } from "./namespace-terminating.ts";
import type { Owned } from "./ownership.ts";
import { PODS } from "./resources.ts";

/** Whose pods are made and deleted. */
export interface PodOwner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly object: Owned;
}

/**
 * Makes and deletes pods for their owners, tells users of it, and remembers it until the mirror shows it. After a create whose answer
 * was lost it asks the store what came of it before it makes another: upstream's makes one pod too many then, until it sees both.
 */
export class PodControl {
  readonly #client: Client;
  readonly #recorder: EventRecorder;
  readonly #expectations: Expectations;
  /** Owners for whom a pod was asked for, and may have been made. */
  readonly #unanswered = new Set<string>();

  constructor(options: { client: Client; clock: Clock; recorder: EventRecorder }) {
    this.#client = options.client;
    this.#recorder = options.recorder;
    this.#expectations = new Expectations(options.clock);
  }

  /** Whether the mirror shows everything done for this owner. */
  isSettled(ownerUid: string, pods: Mirror<Pod>): boolean {
    return this.#expectations.satisfied(ownerUid, pods);
  }

  /** The owner is gone. */
  forget(ownerUid: string): void {
    this.#expectations.forget(ownerUid);
    this.#unanswered.delete(ownerUid);
  }

  /** False when the namespace is going, so that nothing may be made in it and nobody needs to know. */
  async create(owner: PodOwner, pod: Pod): Promise<boolean> {
    const { metadata } = owner.object;
    await this.#learnAnswer(metadata.uid ?? "", pod);
    const target = referenceTo(owner.apiVersion, owner.kind, owner.object);
    try {
      const created = await this.#client.create<Pod>(PODS, metadata.namespace ?? "", pod);
      this.#expectations.wrote(metadata.uid ?? "", created.metadata.resourceVersion);
      this.#recorder.event(target, "Normal", "SuccessfulCreate", `Created pod: ${created.metadata.name}`);
      return true;
    } catch (error) {
      if (isNamespaceTerminating(error)) return false;
      if (mayBeDone(error)) this.#unanswered.add(metadata.uid ?? "");
      this.#recorder.event(target, "Warning", "FailedCreate", `Error creating: ${messageOf(error)}`);
      throw error;
    }
  }

  /** False when it was gone already. */
  async delete(owner: PodOwner, pod: Pod): Promise<boolean> {
    const { namespace = "", name = "", uid = "" } = pod.metadata;
    const ownerUid = owner.object.metadata.uid ?? "";
    const target = referenceTo(owner.apiVersion, owner.kind, owner.object);
    this.#expectations.deleting(ownerUid, pod);
    try {
      await this.#client.delete(PODS, namespace, name, { preconditions: { uid } });
      this.#recorder.event(target, "Normal", "SuccessfulDelete", `Deleted pod: ${name}`);
      return true;
    } catch (error) {
      this.#expectations.notDeleting(ownerUid, pod);
      if (isNotFound(error)) return false;
      this.#recorder.event(target, "Warning", "FailedDelete", `Error deleting: ${messageOf(error)}`);
      throw error;
    }
  }

  /** Rejects when there was something to learn: what the owner lacks must be found anew, when the mirror shows all that there is. */
  async #learnAnswer(ownerUid: string, { metadata }: Pod): Promise<void> {
    if (!this.#unanswered.has(ownerUid)) return;
    const labelSelector = Object.entries(metadata.labels ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join();
    const { items } = await this.#client.list<Pod>(PODS, metadata.namespace ?? "", { labelSelector });
    for (const { metadata: found } of items) {
      const isOwned = found.ownerReferences?.some(({ uid, controller }) => uid === ownerUid && controller === true);
      if (isOwned) this.#expectations.wrote(ownerUid, found.resourceVersion);
    }
    this.#unanswered.delete(ownerUid);
    throw new Error("a pod may have been made although its creation failed: looking again");
  }
}

/** A server that refuses says so with a code below 500; all else leaves open what was done. */
function mayBeDone(error: unknown): boolean {
  return !(error instanceof StatusError) || error.code >= 500;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
