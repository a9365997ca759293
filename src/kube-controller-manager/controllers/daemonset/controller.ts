import type { ControllerRevision, DaemonSet, DaemonSetStatus } from "#api/generated/apps/v1.ts";
import type { Node, Pod } from "#api/generated/core/v1.ts";
import { isAlreadyExists, isNotFound } from "#apimachinery/api-errors/errors.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { referenceTo } from "#client/event-target.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { controllerOf, controllerReference } from "#component-helpers/pod/owner.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { isRevisionOf } from "../../framework/controller-revisions.ts";
import { Expectations } from "../../framework/expectations.ts";
import { type Owners, ownerKeys } from "../../framework/owner-keys.ts";
import { addOwnershipIndexes, claim, orphansIn, ownedBy, writeClaims } from "../../framework/ownership.ts";
import { PodControl } from "../../framework/pod-control.ts";
import { CONTROLLER_REVISIONS, DAEMON_SETS, NODES, PODS } from "../../framework/resources.ts";
import { slowStartBatch } from "../../framework/slow-start.ts";
import { newDaemonPod, REVISION_HASH } from "./daemon-pods.ts";
import { FailedPodBackoff } from "./failed-pod-backoff.ts";
import { type Action, type Observed, reconcile } from "./reconcile.ts";
import type { PodChanges } from "./rolling-update.ts";

const KIND = { id: DAEMON_SETS, apiVersion: "apps/v1", kind: "DaemonSet" } as const;

/** Keeps one pod of each DaemonSet on every node that fits. */
export const daemonSetController: ControllerDefinition = {
  name: "daemonset-controller",
  workers: 2,
  create(context) {
    const { client, clock, recorder } = context;
    const sets = context.informers.informer<DaemonSet>(DAEMON_SETS);
    const pods = context.informers.informer<Pod>(PODS);
    const nodes = context.informers.informer<Node>(NODES);
    const revisions = context.informers.informer<ControllerRevision>(CONTROLLER_REVISIONS);
    addOwnershipIndexes(pods);
    addOwnershipIndexes(revisions);
    const podControl = new PodControl({ client, clock, recorder });
    const revisionsWritten = new Expectations(clock);
    const backoff = new FailedPodBackoff(clock);

    function observe(key: string): Observed | undefined {
      const { namespace, name } = splitKey(key);
      const set = sets.lister.get(namespace, name);
      if (set === undefined) return undefined;
      const uid = set.metadata.uid ?? "";
      // The revision just written is on its way and brings the key back.
      if (!revisionsWritten.satisfied(uid, revisions.revision, () => false)) return undefined;
      const selector = labelSelectorFromObject(set.spec.selector);
      const owned = ownedBy(pods, uid);
      const claims = claim(set, selector, [...owned, ...orphansIn(pods, namespace)]);
      return {
        set,
        nodes: nodes.lister.list(),
        pods: claims.keep,
        adoptPods: claims.adopt,
        releasePods: claims.release,
        revisions: ownedBy(revisions, uid),
        mayManage: podControl.isSettled(uid, pods.revision, owned),
        failedBackoffMs: backoff.remaining(uid),
        nowMs: clock.now(),
      };
    }

    async function execute(actions: readonly Action[], { set }: Observed): Promise<void> {
      const target = referenceTo(KIND.apiVersion, KIND.kind, set);
      const { namespace = "", uid = "" } = set.metadata;
      let failure: unknown;
      for (const action of actions) {
        switch (action.type) {
          case "complainOfSelector": {
            const message = "This daemon set is selecting all pods. A non-empty selector is required.";
            recorder.event(target, "Warning", "SelectingAll", message);
            break;
          }
          case "claim":
            await writeClaims(client, KIND, set, PODS, action, controllerReference(KIND.apiVersion, KIND.kind, set));
            break;
          case "createRevision":
            await createRevision(set, action.revision);
            break;
          case "updateRevision": {
            const name = action.revision.metadata.name ?? "";
            const updated = await client.update(CONTROLLER_REVISIONS, namespace, name, action.revision);
            revisionsWritten.wrote(uid, updated.metadata.resourceVersion);
            break;
          }
          case "deleteRevision":
            await deleteRevision(action.revision);
            break;
          case "relabelPods":
            for (const { metadata } of action.pods) {
              const patch = { metadata: { labels: { [REVISION_HASH]: action.hash } } };
              await client.patch(PODS, namespace, metadata.name ?? "", "application/strategic-merge-patch+json", patch);
            }
            break;
          case "reportEnded": {
            const { pod, node, failed } = action;
            if (failed) backoff.failed(uid, node);
            const what = `Found ${failed ? "failed" : "succeeded"} daemon pod ${namespace}/${pod.metadata.name} on node ${node}`;
            if (failed) recorder.event(target, "Warning", "FailedDaemonPod", `${what}, will try to kill it`);
            else recorder.event(target, "Normal", "SucceededDaemonPod", `${what}, will try to delete it`);
            break;
          }
          case "changePods":
            failure = await changePods(set, action.changes, action.hash);
            break;
          case "updateStatus":
            await updateStatus(set, action.status);
            break;
        }
      }
      if (failure !== undefined) throw failure;
    }

    async function createRevision(set: DaemonSet, revision: ControllerRevision): Promise<void> {
      const { namespace = "", uid = "" } = set.metadata;
      try {
        const created = await client.create<ControllerRevision>(CONTROLLER_REVISIONS, namespace, revision);
        revisionsWritten.wrote(uid, created.metadata.resourceVersion);
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
        const there = await client.get<ControllerRevision>(CONTROLLER_REVISIONS, namespace, revision.metadata.name ?? "");
        const isOurs = controllerOf(there)?.uid === uid && isRevisionOf(there, revision.data ?? {});
        if (isOurs) return;
        // Another template has the same hash: the count makes the next one differ.
        const collisionCount = (set.status?.collisionCount ?? 0) + 1;
        await updateStatus(set, { ...statusOf(set), collisionCount });
        throw error;
      }
    }

    async function deleteRevision({ metadata }: ControllerRevision): Promise<void> {
      try {
        await client.delete(CONTROLLER_REVISIONS, metadata.namespace ?? "", metadata.name ?? "");
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }

    /** Returns the first failure. */
    async function changePods(set: DaemonSet, { addOn, remove }: PodChanges, hash: string): Promise<unknown> {
      const owner = { ...KIND, object: set };
      const left = addOn.values();
      const { error } = await slowStartBatch(addOn.length, async () => {
        const node = left.next().value;
        if (node !== undefined) await podControl.create(owner, newDaemonPod(set, node, hash));
      });
      const results = await Promise.allSettled(remove.map((pod) => podControl.delete(owner, pod)));
      return error ?? results.find((result) => result.status === "rejected")?.reason;
    }

    async function updateStatus(set: DaemonSet, status: DaemonSetStatus): Promise<void> {
      const { namespace = "", name = "" } = set.metadata;
      if (semanticEqual(statusOf(set), status)) return;
      try {
        await client.update(DAEMON_SETS, namespace, name, { ...set, status }, { subresource: "status" });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }

    const owners: Owners<DaemonSet> = {
      kind: KIND,
      informer: sets,
      selectorOf: ({ spec }) => labelSelectorFromObject(spec.selector),
    };
    return controller<Observed, Action>({
      sources: [
        source(sets, ({ type, object }) => {
          const uid = object.metadata.uid ?? "";
          if (type === "delete") {
            podControl.forget(uid);
            revisionsWritten.forget(uid);
            backoff.forget(uid);
          }
          return [keyOf(object)];
        }),
        source(pods, ownerKeys(owners)),
        source(nodes, ({ old, object }) => {
          // A heartbeat says nothing new to a daemon.
          const same = old !== undefined && sameForDaemons(old, object);
          return same ? [] : sets.lister.list().map(keyOf);
        }),
        source(revisions, ownerKeys(owners)),
      ],
      observe,
      reconcile,
      execute,
    });
  },
};

function statusOf({ status }: DaemonSet): DaemonSetStatus {
  return status ?? { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 };
}

function sameForDaemons(a: Node, b: Node): boolean {
  return semanticEqual(a.metadata.labels, b.metadata.labels) && semanticEqual(a.spec?.taints, b.spec?.taints);
}
