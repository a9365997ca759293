import type { ControllerRevision, DaemonSet } from "#api/generated/apps/v1.ts";
import type { Node, Pod } from "#api/generated/core/v1.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { Expectations } from "../../framework/expectations.ts";
import { type Owners, ownerKeys } from "../../framework/owner-keys.ts";
import { DAEMON_SET } from "../../framework/owner-kinds.ts";
import { addOwnershipIndexes, ownedBy } from "../../framework/ownership.ts";
import { PodControl } from "../../framework/pod-control.ts";
import { CONTROLLER_REVISIONS, DAEMON_SETS, NODES, PODS } from "../../framework/resources.ts";
import { DaemonLayouts } from "./daemon-layouts.ts";
import { REVISION_HASH } from "./daemon-pods.ts";
import { DaemonSetActions } from "./daemon-set-actions.ts";
import { sameEligibility } from "./eligibility.ts";
import { FailedPodBackoff } from "./failed-pod-backoff.ts";
import { constructHistory } from "./history.ts";
import { type Action, type Observed, reconcile } from "./reconcile.ts";

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
    addOwnershipIndexes(revisions);
    const layouts = new DaemonLayouts(pods, nodes);
    const podControl = new PodControl({ client, clock, recorder });
    const revisionsWritten = new Expectations(clock);
    const backoff = new FailedPodBackoff(clock);
    const actions = new DaemonSetActions({ client, recorder, podControl, revisionsWritten, backoff });

    function observe(key: string): Observed | undefined {
      const { namespace, name } = splitKey(key);
      const set = sets.lister.get(namespace, name);
      if (set === undefined) return undefined;
      const uid = set.metadata.uid ?? "";
      // The revision just written is on its way and brings the key back.
      if (!revisionsWritten.satisfied(uid, revisions)) return undefined;
      const history = constructHistory(set, ownedBy(revisions, uid));
      return {
        set,
        history,
        ...layouts.look(set, history.current.metadata.labels?.[REVISION_HASH] ?? "", clock.now()),
        mayManage: podControl.isSettled(uid, pods),
        failedBackoffMs: backoff.remaining(uid),
      };
    }

    const owners: Owners<DaemonSet> = {
      kind: DAEMON_SET,
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
            layouts.forget(uid);
          }
          return [keyOf(object)];
        }),
        source(pods, ownerKeys(owners)),
        source(nodes, ({ old, object }) => {
          // A heartbeat says nothing new to a daemon.
          if (old !== undefined && sameForDaemons(old, object)) return [];
          layouts.noteNode(object);
          const concerned = sets.lister.list().filter((set) => old === undefined || !sameEligibility(set, old, object));
          return concerned.map(keyOf);
        }),
        source(revisions, ownerKeys(owners)),
      ],
      observe,
      reconcile,
      execute: (decided, observed) => actions.execute(decided, observed),
    });
  },
};

function sameForDaemons(a: Node, b: Node): boolean {
  return semanticEqual(a.metadata.labels, b.metadata.labels) && semanticEqual(a.spec?.taints, b.spec?.taints);
}
