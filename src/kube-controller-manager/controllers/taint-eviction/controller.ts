import type { Node, Pod } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { referenceTo } from "#client/event-target.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { writeDisruptionCondition } from "../../framework/disruption-condition.ts";
import { addNodeNameIndex, podsOnNode } from "../../framework/pod-indexes.ts";
import { NODES, PODS } from "../../framework/resources.ts";
import { type Action, noExecuteTaints, type Observed, reconcile } from "./reconcile.ts";

/** Evicts pods by their nodes' NoExecute taints. */
export const taintEvictionController: ControllerDefinition = {
  name: "taint-eviction-controller",
  create({ client, clock, informers, recorder }) {
    const pods = informers.informer<Pod>(PODS);
    const nodes = informers.informer<Node>(NODES);
    addNodeNameIndex(pods);
    /** By pod uid: since when its tolerations count. */
    const tolerating = new Map<string, number>();

    async function evict(pod: Pod): Promise<void> {
      const { namespace = "", name = "", uid = "" } = pod.metadata;
      recorder.event(
        referenceTo("v1", "Pod", pod),
        "Normal",
        "TaintManagerEviction",
        `Marking for deletion Pod ${namespace}/${name}`,
      );
      const message = "Taint manager: deleting due to NoExecute taint";
      try {
        await writeDisruptionCondition(client, pod, "DeletionByTaintManager", message, clock.now());
        await client.delete(PODS, namespace, name, { preconditions: { uid } });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      tolerating.delete(uid);
    }

    return controller<Observed, Action>({
      sources: [
        source(pods, ({ type, object, old }) => {
          if (type === "delete") tolerating.delete(object.metadata.uid ?? "");
          const { nodeName, tolerations } = object.spec;
          if (type === "delete" || !nodeName) return [];
          const same = old?.spec.nodeName === nodeName && semanticEqual(old.spec.tolerations, tolerations);
          const tainted = noExecuteTaints(nodes.lister.get("", nodeName)).length > 0;
          return same || (!tainted && nodes.hasSynced) ? [] : [keyOf(object)];
        }),
        source(nodes, ({ object, old }) => {
          if (semanticEqual(noExecuteTaints(old), noExecuteTaints(object))) return [];
          return podsOnNode(pods, object.metadata.name ?? "").map(keyOf);
        }),
      ],
      observe(key) {
        const { namespace, name } = splitKey(key);
        const pod = pods.lister.get(namespace, name);
        if (pod === undefined) return undefined;
        return {
          pod,
          node: nodes.lister.get("", pod.spec.nodeName ?? ""),
          toleratingSinceMs: tolerating.get(pod.metadata.uid ?? ""),
          nowMs: clock.elapsed(),
        };
      },
      reconcile,
      async execute(actions) {
        for (const { type, pod } of actions) {
          const { namespace = "", name = "", uid = "" } = pod.metadata;
          if (type === "evict") await evict(pod);
          else if (type === "startTolerating") tolerating.set(uid, clock.elapsed());
          else {
            tolerating.delete(uid);
            const message = `Cancelling deletion of Pod ${namespace}/${name}`;
            recorder.event(referenceTo("v1", "Pod", pod), "Normal", "TaintManagerEviction", message);
          }
        }
      },
    });
  },
};
