import type { ControllerRevision, StatefulSet } from "#api/generated/apps/v1.ts";
import type { PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import { objectKey, splitKey } from "#client/object-meta.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { Expectations } from "../../framework/expectations.ts";
import { type Owners, ownerKeys } from "../../framework/owner-keys.ts";
import { STATEFUL_SET } from "../../framework/owner-kinds.ts";
import { addOwnershipIndexes, claim, orphansFor, ownedBy } from "../../framework/ownership.ts";
import { CONTROLLER_REVISIONS, PERSISTENT_VOLUME_CLAIMS, PODS, STATEFUL_SETS } from "../../framework/resources.ts";
import { isMemberOf } from "./identity.ts";
import { type Action, type Observed, reconcile } from "./reconcile.ts";
import { StatefulPodControl } from "./stateful-pod-control.ts";
import { StatefulSetActions } from "./stateful-set-actions.ts";
import { WrittenClaims } from "./written-claims.ts";

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
    const actions = new StatefulSetActions({ client, podControl, revisionsWritten });

    function observe(key: string): Observed | undefined {
      const { namespace, name } = splitKey(key);
      const set = sets.lister.get(namespace, name);
      if (set === undefined) return undefined;
      const uid = set.metadata.uid ?? "";
      const owned = ownedBy(pods, uid);
      // What was written is on its way, and brings the key back.
      if (!podsWritten.satisfied(uid, pods)) return undefined;
      if (!revisionsWritten.satisfied(uid, revisions)) return undefined;
      const selector = labelSelectorFromObject(set.spec.selector);
      const strangers = orphansFor(pods, namespace, selector).filter((pod) => isMemberOf(set, pod));
      const podClaims = claim(set, selector, [...owned, ...strangers]);
      const history = claim(set, selector, [...ownedBy(revisions, uid), ...orphansFor(revisions, namespace, selector)]);
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

    const owners: Owners<StatefulSet> = {
      kind: STATEFUL_SET,
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
      execute: (decided, observed) => actions.execute(decided, observed),
    });
  },
};
