import type { ControllerRevision, StatefulSet, StatefulSetStatus } from "#api/generated/apps/v1.ts";
import { isAlreadyExists, isNotFound } from "#apimachinery/api-errors/errors.ts";
import type { Client } from "#client/client.ts";
import { controllerOf } from "#component-helpers/pod/owner.ts";
import { isRevisionOf } from "../../framework/controller-revisions.ts";
import type { Expectations } from "../../framework/expectations.ts";
import { STATEFUL_SET } from "../../framework/owner-kinds.ts";
import { writeClaims } from "../../framework/ownership.ts";
import { CONTROLLER_REVISIONS, PODS, STATEFUL_SETS } from "../../framework/resources.ts";
import { slowStartBatch } from "../../framework/slow-start.ts";
import type { PodStep } from "./plan.ts";
import type { Action, Observed } from "./reconcile.ts";
import type { StatefulPodControl } from "./stateful-pod-control.ts";
import { completeRollingUpdate, statusChanged } from "./status.ts";

/** What {@link StatefulSetActions} works with. */
export interface StatefulSetActionsOptions {
  readonly client: Client;
  readonly podControl: StatefulPodControl;
  readonly revisionsWritten: Expectations;
}

/** Carries out what `reconcile` decided about StatefulSets. */
export class StatefulSetActions {
  readonly #client: Client;
  readonly #podControl: StatefulPodControl;
  readonly #revisionsWritten: Expectations;

  constructor(options: StatefulSetActionsOptions) {
    this.#client = options.client;
    this.#podControl = options.podControl;
    this.#revisionsWritten = options.revisionsWritten;
  }

  /** Does them in order. Pods of one failure wait for the next pass; bookkeeping goes on, and the first failure is thrown. */
  async execute(actions: readonly Action[], { set }: Observed): Promise<void> {
    let failure: unknown;
    let outdatedDeleted = 0;
    for (const action of actions) {
      switch (action.type) {
        case "claimPods":
          await writeClaims(this.#client, STATEFUL_SET, set, PODS, action);
          break;
        case "adoptRevisions":
          await writeClaims(this.#client, STATEFUL_SET, set, CONTROLLER_REVISIONS, { adopt: action.adopt, release: [] });
          break;
        case "createRevision":
          await this.#createRevision(set, action.revision);
          break;
        case "renumberRevision":
          await this.#renumberRevision(set, action.revision);
          break;
        case "runSteps":
          if (failure === undefined) failure = await this.#runSteps(set, action.steps, action.inOrder);
          break;
        case "deleteOutdated":
          for (const pod of failure === undefined ? action.pods : []) {
            failure ??= await attempt(() => this.#podControl.delete(set, pod), isNotFound);
            if (failure === undefined) outdatedDeleted++;
          }
          break;
        case "updateStatus": {
          const { currentReplicas = 0 } = action.status;
          const counted = { ...action.status, currentReplicas: currentReplicas - outdatedDeleted };
          const problem = await attempt(() => this.#updateStatus(set, counted));
          failure ??= problem;
          break;
        }
        case "deleteRevision": {
          const { namespace = "", name = "" } = action.revision.metadata;
          const problem = await attempt(() => this.#client.delete(CONTROLLER_REVISIONS, namespace, name), isNotFound);
          failure ??= problem;
          break;
        }
      }
    }
    if (failure !== undefined) throw failure;
  }

  /** Returns the first failure, after which nothing further is begun. */
  async #runSteps(set: StatefulSet, byPod: readonly (readonly PodStep[])[], inOrder: boolean): Promise<unknown> {
    const left = byPod.values();
    const next = async (): Promise<void> => {
      for (const step of left.next().value ?? []) await this.#podControl.run(set, step);
    };
    if (!inOrder) return (await slowStartBatch(byPod.length, next)).error;
    for (const _ of byPod) {
      const failure = await attempt(next);
      if (failure !== undefined) return failure;
    }
    return undefined;
  }

  async #createRevision(set: StatefulSet, revision: ControllerRevision): Promise<void> {
    const { namespace = "", uid = "" } = set.metadata;
    const name = revision.metadata.name ?? "";
    try {
      const created = await this.#client.create<ControllerRevision>(CONTROLLER_REVISIONS, namespace, revision);
      this.#revisionsWritten.wrote(uid, created.metadata.resourceVersion);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const there = await this.#client.get<ControllerRevision>(CONTROLLER_REVISIONS, namespace, name);
      if (isRevisionOf(there, revision.data ?? {})) {
        // Ours when the mirror lags; otherwise it is about to be removed with its owner.
        if (controllerOf(there)?.uid !== uid) throw error;
        this.#revisionsWritten.wrote(uid, there.metadata.resourceVersion);
        return;
      }
      // Another template has the same hash: the count makes the next one differ.
      const status = set.status ?? { replicas: 0 };
      const collisionCount = (status.collisionCount ?? 0) + 1;
      await this.#writeStatus(set, { ...status, collisionCount });
    }
  }

  async #renumberRevision(set: StatefulSet, revision: ControllerRevision): Promise<void> {
    const { namespace = "", name = "" } = revision.metadata;
    const updated = await this.#client.update<ControllerRevision>(CONTROLLER_REVISIONS, namespace, name, revision);
    this.#revisionsWritten.wrote(set.metadata.uid ?? "", updated.metadata.resourceVersion);
  }

  async #updateStatus(set: StatefulSet, counted: StatefulSetStatus): Promise<void> {
    const status = completeRollingUpdate(set, counted);
    if (statusChanged(set.status, status)) await this.#writeStatus(set, status);
  }

  async #writeStatus(set: StatefulSet, status: StatefulSetStatus): Promise<void> {
    const { namespace = "", name = "" } = set.metadata;
    await this.#client.update(STATEFUL_SETS, namespace, name, { ...set, status }, { subresource: "status" });
  }
}

/** The failure, if there is one that matters. */
async function attempt(work: () => Promise<void>, isHarmless: (error: unknown) => boolean = () => false): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return isHarmless(error) ? undefined : (error ?? new Error("failed"));
  }
}
