import type { ControllerRevision, DaemonSet, DaemonSetStatus } from "#api/generated/apps/v1.ts";
import { isAlreadyExists, isNotFound } from "#apimachinery/api-errors/errors.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { Client } from "#client/client.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import { referenceTo } from "#client/event-target.ts";
import { controllerOf } from "#component-helpers/pod/owner.ts";
import { isRevisionOf } from "../../framework/controller-revisions.ts";
import type { Expectations } from "../../framework/expectations.ts";
import { DAEMON_SET } from "../../framework/owner-kinds.ts";
import { writeClaims } from "../../framework/ownership.ts";
import type { PodControl } from "../../framework/pod-control.ts";
import { CONTROLLER_REVISIONS, DAEMON_SETS, PODS } from "../../framework/resources.ts";
import { slowStartBatch } from "../../framework/slow-start.ts";
import { newDaemonPod, REVISION_HASH } from "./daemon-pods.ts";
import type { FailedPodBackoff } from "./failed-pod-backoff.ts";
import type { PodChanges } from "./pod-changes.ts";
import type { Action, Observed } from "./reconcile.ts";

/** What {@link DaemonSetActions} works with. */
export interface DaemonSetActionsOptions {
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly podControl: PodControl;
  readonly revisionsWritten: Expectations;
  readonly backoff: FailedPodBackoff;
}

/** Carries out what `reconcile` decided about DaemonSets, and tells users of it. */
export class DaemonSetActions {
  readonly #client: Client;
  readonly #recorder: EventRecorder;
  readonly #podControl: PodControl;
  readonly #revisionsWritten: Expectations;
  readonly #backoff: FailedPodBackoff;

  constructor(options: DaemonSetActionsOptions) {
    this.#client = options.client;
    this.#recorder = options.recorder;
    this.#podControl = options.podControl;
    this.#revisionsWritten = options.revisionsWritten;
    this.#backoff = options.backoff;
  }

  /** Does them in order; a pod that could not be changed is thrown at the end. */
  async execute(actions: readonly Action[], { set }: Observed): Promise<void> {
    const target = referenceTo(DAEMON_SET.apiVersion, DAEMON_SET.kind, set);
    const { namespace = "", uid = "" } = set.metadata;
    let failure: unknown;
    for (const action of actions) {
      switch (action.type) {
        case "complainOfSelector": {
          const message = "This daemon set is selecting all pods. A non-empty selector is required.";
          this.#recorder.event(target, "Warning", "SelectingAll", message);
          break;
        }
        case "claim":
          await writeClaims(this.#client, DAEMON_SET, set, PODS, action);
          break;
        case "createRevision":
          await this.#createRevision(set, action.revision);
          break;
        case "updateRevision": {
          const name = action.revision.metadata.name ?? "";
          const updated = await this.#client.update(CONTROLLER_REVISIONS, namespace, name, action.revision);
          this.#revisionsWritten.wrote(uid, updated.metadata.resourceVersion);
          break;
        }
        case "deleteRevision":
          await this.#deleteRevision(action.revision);
          break;
        case "relabelPods":
          for (const { metadata } of action.pods) {
            const patch = { metadata: { labels: { [REVISION_HASH]: action.hash } } };
            await this.#client.patch(PODS, namespace, metadata.name ?? "", "application/strategic-merge-patch+json", patch);
          }
          break;
        case "reportEnded": {
          const { pod, node, failed } = action;
          if (failed) this.#backoff.failed(uid, node);
          const what = `Found ${failed ? "failed" : "succeeded"} daemon pod ${namespace}/${pod.metadata.name} on node ${node}`;
          if (failed) this.#recorder.event(target, "Warning", "FailedDaemonPod", `${what}, will try to kill it`);
          else this.#recorder.event(target, "Normal", "SucceededDaemonPod", `${what}, will try to delete it`);
          break;
        }
        case "changePods":
          failure = await this.#changePods(set, action.changes, action.hash);
          break;
        case "updateStatus":
          await this.#updateStatus(set, action.status);
          break;
      }
    }
    if (failure !== undefined) throw failure;
  }

  async #createRevision(set: DaemonSet, revision: ControllerRevision): Promise<void> {
    const { namespace = "", uid = "" } = set.metadata;
    try {
      const created = await this.#client.create<ControllerRevision>(CONTROLLER_REVISIONS, namespace, revision);
      this.#revisionsWritten.wrote(uid, created.metadata.resourceVersion);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const there = await this.#client.get<ControllerRevision>(CONTROLLER_REVISIONS, namespace, revision.metadata.name ?? "");
      const isOurs = controllerOf(there)?.uid === uid && isRevisionOf(there, revision.data ?? {});
      if (isOurs) return;
      // Another template has the same hash: the count makes the next one differ.
      const collisionCount = (set.status?.collisionCount ?? 0) + 1;
      await this.#updateStatus(set, { ...statusOf(set), collisionCount });
      throw error;
    }
  }

  async #deleteRevision({ metadata }: ControllerRevision): Promise<void> {
    try {
      await this.#client.delete(CONTROLLER_REVISIONS, metadata.namespace ?? "", metadata.name ?? "");
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** Returns the first failure. */
  async #changePods(set: DaemonSet, { addOn, remove }: PodChanges, hash: string): Promise<unknown> {
    const owner = { ...DAEMON_SET, object: set };
    const left = addOn.values();
    const { error } = await slowStartBatch(addOn.length, async () => {
      const node = left.next().value;
      if (node !== undefined) await this.#podControl.create(owner, newDaemonPod(set, node, hash));
    });
    const results = await Promise.allSettled(remove.map((pod) => this.#podControl.delete(owner, pod)));
    return error ?? results.find((result) => result.status === "rejected")?.reason;
  }

  async #updateStatus(set: DaemonSet, status: DaemonSetStatus): Promise<void> {
    const { namespace = "", name = "" } = set.metadata;
    if (semanticEqual(statusOf(set), status)) return;
    try {
      await this.#client.update(DAEMON_SETS, namespace, name, { ...set, status }, { subresource: "status" });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

function statusOf({ status }: DaemonSet): DaemonSetStatus {
  return status ?? { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 };
}
