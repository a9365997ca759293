import type { ControllerRevision, StatefulSet, StatefulSetStatus } from "#api/generated/apps/v1.ts";
import type { PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import { isAlreadyExists, isNotFound } from "#apimachinery/api-errors/errors.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import { objectKey, splitKey } from "#client/object-meta.ts";
import { controllerOf, controllerReference } from "#component-helpers/pod/owner.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { isRevisionOf } from "../../framework/controller-revisions.ts";
import { Expectations } from "../../framework/expectations.ts";
import { type Owners, ownerKeys } from "../../framework/owner-keys.ts";
import { addOwnershipIndexes, claim, orphansIn, ownedBy, writeClaims } from "../../framework/ownership.ts";
import { CONTROLLER_REVISIONS, PERSISTENT_VOLUME_CLAIMS, PODS, STATEFUL_SETS } from "../../framework/resources.ts";
import { slowStartBatch } from "../../framework/slow-start.ts";
import { isMemberOf } from "./identity.ts";
import type { PodStep } from "./plan.ts";
import { type Action, type Observed, reconcile } from "./reconcile.ts";
import { StatefulPodControl } from "./stateful-pod-control.ts";
import { completeRollingUpdate, statusChanged } from "./status.ts";
import { WrittenClaims } from "./written-claims.ts";

const KIND = { id: STATEFUL_SETS, apiVersion: "apps/v1", kind: "StatefulSet" } as const;

/** Keeps the pods of StatefulSets, each with its name and its storage. */
export const statefulSetController: ControllerDefinition = {
  name: "statefulset-controller",
  create(context) {
    const { client, clock, recorder, informers } = context;
    const sets = informers.informer<StatefulSet>(STATEFUL_SETS);
    const pods = informers.informer<Pod>(PODS);
    const revisions = informers.informer<ControllerRevision>(CONTROLLER_REVISIONS);
    const claimsInformer = informers.informer<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS);
    addOwnershipIndexes(pods);
    addOwnershipIndexes(revisions);
    const podsWritten = new Expectations(clock);
    const revisionsWritten = new Expectations(clock);
    const claims = new WrittenClaims(claimsInformer);
    const podControl = new StatefulPodControl({ client, recorder, claims, written: podsWritten });

    function observe(key: string): Observed | undefined {
      const { namespace, name } = splitKey(key);
      const set = sets.lister.get(namespace, name);
      if (set === undefined) return undefined;
      const uid = set.metadata.uid ?? "";
      const owned = ownedBy(pods, uid);
      const isLive = (podUid: string): boolean =>
        owned.some(({ metadata }) => metadata.uid === podUid && metadata.deletionTimestamp === undefined);
      // What was written is on its way, and brings the key back.
      if (!podsWritten.satisfied(uid, pods.revision, isLive)) return undefined;
      if (!revisionsWritten.satisfied(uid, revisions.revision, () => false)) return undefined;
      const selector = labelSelectorFromObject(set.spec.selector);
      const strangers = orphansIn(pods, namespace).filter((pod) => isMemberOf(set, pod));
      const podClaims = claim(set, selector, [...owned, ...strangers]);
      const history = claim(set, selector, [...ownedBy(revisions, uid), ...orphansIn(revisions, namespace)]);
      return {
        set,
        pods: podClaims.keep.filter((pod) => isMemberOf(set, pod)),
        adoptPods: podClaims.adopt,
        releasePods:
          set.metadata.deletionTimestamp !== undefined
            ? []
            : [...podClaims.release, ...podClaims.keep.filter((pod) => !isMemberOf(set, pod))],
        revisions: history.keep,
        adoptRevisions: history.adopt,
        claim: (claimName) => claims.get(namespace, claimName),
        nowMs: clock.now(),
      };
    }

    async function execute(actions: readonly Action[], { set }: Observed): Promise<void> {
      const reference = controllerReference(KIND.apiVersion, KIND.kind, set);
      let failure: unknown;
      let outdatedDeleted = 0;
      for (const action of actions) {
        switch (action.type) {
          case "claimPods":
            await writeClaims(client, KIND, set, PODS, action, reference);
            break;
          case "adoptRevisions":
            await writeClaims(client, KIND, set, CONTROLLER_REVISIONS, { adopt: action.adopt, release: [] }, reference);
            break;
          case "createRevision":
            await createRevision(set, action.revision);
            break;
          case "renumberRevision":
            await renumberRevision(set, action.revision);
            break;
          case "runSteps":
            if (failure === undefined) failure = await runSteps(set, action.steps, action.inOrder);
            break;
          case "deleteOutdated":
            for (const pod of failure === undefined ? action.pods : []) {
              failure ??= await attempt(() => podControl.delete(set, pod), isNotFound);
              if (failure === undefined) outdatedDeleted++;
            }
            break;
          case "updateStatus": {
            const { currentReplicas = 0 } = action.status;
            const counted = { ...action.status, currentReplicas: currentReplicas - outdatedDeleted };
            const problem = await attempt(() => updateStatus(set, counted));
            failure ??= problem;
            break;
          }
          case "deleteRevision": {
            const { namespace = "", name = "" } = action.revision.metadata;
            const problem = await attempt(() => client.delete(CONTROLLER_REVISIONS, namespace, name), isNotFound);
            failure ??= problem;
            break;
          }
        }
      }
      if (failure !== undefined) throw failure;
    }

    /** Returns the first failure, after which nothing further is begun. */
    async function runSteps(set: StatefulSet, byPod: readonly (readonly PodStep[])[], inOrder: boolean): Promise<unknown> {
      const left = byPod.values();
      const next = async (): Promise<void> => {
        for (const step of left.next().value ?? []) await podControl.run(set, step);
      };
      if (!inOrder) return (await slowStartBatch(byPod.length, next)).error;
      for (const _ of byPod) {
        const failure = await attempt(next);
        if (failure !== undefined) return failure;
      }
      return undefined;
    }

    async function createRevision(set: StatefulSet, revision: ControllerRevision): Promise<void> {
      const { namespace = "", uid = "" } = set.metadata;
      const name = revision.metadata.name ?? "";
      try {
        const created = await client.create<ControllerRevision>(CONTROLLER_REVISIONS, namespace, revision);
        revisionsWritten.wrote(uid, created.metadata.resourceVersion);
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
        const there = await client.get<ControllerRevision>(CONTROLLER_REVISIONS, namespace, name);
        if (isRevisionOf(there, revision.data ?? {})) {
          // Ours when the mirror lags; otherwise it is about to be removed with its owner.
          if (controllerOf(there)?.uid !== uid) throw error;
          revisionsWritten.wrote(uid, there.metadata.resourceVersion);
          return;
        }
        // Another template has the same hash: the count makes the next one differ.
        const status = set.status ?? { replicas: 0 };
        const collisionCount = (status.collisionCount ?? 0) + 1;
        await writeStatus(set, { ...status, collisionCount });
      }
    }

    async function renumberRevision(set: StatefulSet, revision: ControllerRevision): Promise<void> {
      const { namespace = "", name = "" } = revision.metadata;
      const updated = await client.update<ControllerRevision>(CONTROLLER_REVISIONS, namespace, name, revision);
      revisionsWritten.wrote(set.metadata.uid ?? "", updated.metadata.resourceVersion);
    }

    async function updateStatus(set: StatefulSet, counted: StatefulSetStatus): Promise<void> {
      const status = completeRollingUpdate(set, counted);
      if (statusChanged(set.status, status)) await writeStatus(set, status);
    }

    async function writeStatus(set: StatefulSet, status: StatefulSetStatus): Promise<void> {
      const { namespace = "", name = "" } = set.metadata;
      await client.update(STATEFUL_SETS, namespace, name, { ...set, status }, { subresource: "status" });
    }

    const owners: Owners<StatefulSet> = {
      kind: KIND,
      informer: sets,
      selectorOf: ({ spec }) => labelSelectorFromObject(spec.selector),
    };
    return controller<Observed, Action>({
      sources: [
        source(sets, ({ type, object }) => {
          const { namespace = "", name = "", uid = "" } = object.metadata;
          if (type === "delete") {
            podsWritten.forget(uid);
            revisionsWritten.forget(uid);
          }
          return [objectKey(namespace, name)];
        }),
        source(pods, ownerKeys(owners)),
        source(revisions, ownerKeys(owners)),
      ],
      alsoAwait: [claimsInformer],
      observe,
      reconcile,
      execute,
    });
  },
};

/** The failure, if there is one that matters. */
async function attempt(work: () => Promise<void>, isHarmless: (error: unknown) => boolean = () => false): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return isHarmless(error) ? undefined : (error ?? new Error("failed"));
  }
}
