import type { Node, Pod } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { isPodTerminal, isPodTerminating } from "#component-helpers/pod/pod-conditions.ts";
import { type Change, type ControllerDefinition, controller, type DelayedKey, source } from "../../framework/controller.ts";
import { writeDisruptionCondition } from "../../framework/disruption-condition.ts";
import { addNodeNameIndex, podsOnNode } from "../../framework/pod-indexes.ts";
import { NODES, PODS } from "../../framework/resources.ts";
import { type Action, type Observed, reconcile } from "./reconcile.ts";

/** Stands for all terminated pods; no object has this key. */
const TERMINATED = "";
const TERMINATED_INDEX = "terminated";
const TERMINATED_PODS_MAX = 12_500;
/** Between two counts of terminated pods. */
const TERMINATED_CHECK_MS = 20_000;
/** Before a pod that was never scheduled is helped away: usually the server does it. */
const UNSCHEDULED_DELAY_MS = 1_000;

/** Removes pods that nobody else will. */
export const podGcController: ControllerDefinition = {
  name: "pod-garbage-collector-controller",
  create({ client, clock, informers, options }) {
    const pods = informers.informer<Pod>(PODS);
    const nodes = informers.informer<Node>(NODES);
    addNodeNameIndex(pods);
    pods.addIndex(TERMINATED_INDEX, (pod) => (isPodTerminal(pod) ? [TERMINATED_INDEX] : []));
    const threshold = options.terminatedPodGcThreshold ?? TERMINATED_PODS_MAX;
    const missingSince = new Map<string, number>();

    function* podKeys({ type, object, old }: Change<Pod>): Generator<string | DelayedKey> {
      if (type === "delete") return;
      const { nodeName } = object.spec;
      if (threshold > 0 && isPodTerminal(object) && (old === undefined || !isPodTerminal(old))) {
        yield { key: TERMINATED, afterMs: TERMINATED_CHECK_MS };
      }
      if (!nodeName && isPodTerminating(object)) yield { key: keyOf(object), afterMs: UNSCHEDULED_DELAY_MS };
      if (nodeName && old?.spec.nodeName !== nodeName && nodes.lister.get("", nodeName) === undefined) yield keyOf(object);
    }

    return controller<Observed, Action>({
      sources: [
        source(pods, podKeys),
        source(nodes, ({ type, object }) => {
          const name = object.metadata.name ?? "";
          if (type !== "delete") missingSince.delete(name);
          return type === "delete" ? podsOnNode(pods, name).map(keyOf) : [];
        }),
      ],
      observe(key) {
        if (key === TERMINATED) return { type: "terminated", pods: pods.byIndex(TERMINATED_INDEX, TERMINATED_INDEX), threshold };
        const { namespace, name } = splitKey(key);
        const pod = pods.lister.get(namespace, name);
        if (pod === undefined) return undefined;
        const { nodeName } = pod.spec;
        if (!nodeName || nodes.lister.get("", nodeName) !== undefined) return { type: "pod", pod, nodeMissingForMs: undefined };
        const sinceMs = missingSince.get(nodeName) ?? clock.elapsed();
        missingSince.set(nodeName, sinceMs);
        return { type: "pod", pod, nodeMissingForMs: clock.elapsed() - sinceMs };
      },
      reconcile,
      async execute(actions) {
        for (const action of actions) {
          const { namespace = "", name = "", uid = "" } = action.pod.metadata;
          try {
            if (action.type === "removeOrphan") {
              if (await exists(action.pod.spec.nodeName ?? "")) continue;
              const phase = action.markFailed ? "Failed" : undefined;
              if (phase !== undefined) {
                const message = "PodGC: node no longer exists";
                await writeDisruptionCondition(client, action.pod, "DeletionByPodGC", message, clock.now(), phase);
              }
            }
            await client.delete(PODS, namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } });
          } catch (error) {
            if (!isNotFound(error)) throw error;
          }
        }
      },
    });

    async function exists(nodeName: string): Promise<boolean> {
      try {
        await client.get(NODES, "", nodeName);
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    }
  },
};
