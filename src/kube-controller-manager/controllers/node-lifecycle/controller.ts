import type { Lease } from "#api/generated/coordination/v1.ts";
import type { Node, Pod } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import { type ObjectReference, referenceTo } from "#client/event-target.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { addNodeNameIndex, podsOnNode } from "../../framework/pod-indexes.ts";
import { LEASES, NODES, PODS } from "../../framework/resources.ts";
import { Heartbeats } from "./heartbeats.ts";
import { type Action, type Observed, reconcile } from "./reconcile.ts";
import { nodeCondition } from "./taints.ts";

/** Where kubelets renew their Leases. */
const NODE_LEASES = "kube-node-lease";
const MONITOR_GRACE_PERIOD_MS = 50_000;
const STARTUP_GRACE_PERIOD_MS = 60_000;
const NOT_READY_INDEX = "notReady";

/** Notices nodes that fall silent, and taints nodes by their state. */
export const nodeLifecycleController: ControllerDefinition = {
  name: "node-lifecycle-controller",
  eventSource: "node-controller",
  create({ client, clock, informers, recorder, options }) {
    const nodes = informers.informer<Node>(NODES);
    const pods = informers.informer<Pod>(PODS);
    const leases = informers.informer<Lease>(LEASES, { namespace: NODE_LEASES });
    addNodeNameIndex(pods);
    nodes.addIndex(NOT_READY_INDEX, (node) => (nodeCondition(node, "Ready")?.status === "True" ? [] : [NOT_READY_INDEX]));
    const heartbeats = new Heartbeats();
    const unregistered = new Set<string>();
    const toMark = new Set<string>();

    async function writeNode(action: Action & { type: "updateConditions" | "updateTaints" }): Promise<void> {
      const { node } = action;
      const name = node.metadata.name ?? "";
      if (action.type === "updateTaints") {
        const { taints: _, ...spec } = node.spec ?? {};
        const next = { ...node, spec: action.taints.length === 0 ? spec : { ...spec, taints: action.taints } };
        await client.update(NODES, "", name, next);
        return;
      }
      const wasReady = nodeCondition(node, "Ready")?.status === "True";
      const status = { ...node.status, conditions: action.conditions };
      await client.update(NODES, "", name, { ...node, status }, { subresource: "status" });
      if (wasReady) recorder.event(nodeReference(node), "Normal", "NodeNotReady", `Node ${name} status is now: NodeNotReady`);
    }

    async function markNotReady(pod: Pod): Promise<void> {
      const { namespace = "", name = "", uid } = pod.metadata;
      const condition = { type: "Ready", status: "False", lastTransitionTime: formatTime(clock.now()) };
      const patch = { metadata: { uid }, status: { conditions: [condition] } };
      try {
        await client.patch(PODS, namespace, name, "application/strategic-merge-patch+json", patch, { subresource: "status" });
        recorder.event(referenceTo("v1", "Pod", pod), "Warning", "NodeNotReady", "Node is not ready");
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }

    async function execute(actions: readonly Action[]): Promise<void> {
      for (const action of actions) {
        const { node } = action;
        const name = node.metadata.name ?? "";
        switch (action.type) {
          case "register":
            unregistered.delete(name);
            recorder.event(
              nodeReference(node),
              "Normal",
              "RegisteredNode",
              `Node ${name} event: Registered Node ${name} in Controller`,
            );
            break;
          case "label":
            await client.patch(NODES, "", name, "application/strategic-merge-patch+json", {
              metadata: { labels: action.labels },
            });
            break;
          case "markPodsNotReady":
            for (const pod of action.pods) await markNotReady(pod);
            break;
          default:
            await writeNode(action);
        }
        if (action.type === "markPodsNotReady") toMark.delete(name);
      }
    }

    return controller<Observed, Action>({
      sources: [
        source(nodes, ({ type, object, old }) => {
          const name = object.metadata.name ?? "";
          if (type === "delete") {
            heartbeats.forget(name);
            unregistered.delete(name);
            toMark.delete(name);
            recorder.event(
              nodeReference(object),
              "Normal",
              "RemovingNode",
              `Node ${name} event: Removing Node ${name} from Controller`,
            );
            return [];
          }
          if (heartbeats.observeNode(object, clock.now())) unregistered.add(name);
          const isReady = nodeCondition(object, "Ready")?.status === "True";
          const wasReady = old !== undefined && nodeCondition(old, "Ready")?.status === "True";
          if (wasReady && !isReady) toMark.add(name);
          if (isReady) toMark.delete(name);
          const first = isReady && !wasReady && nodes.byIndex(NOT_READY_INDEX, NOT_READY_INDEX).length > 0;
          // The first ready node of a cluster lets evictions from the others go on.
          return first ? nodes.lister.list().map(({ metadata }) => metadata.name ?? "") : [name];
        }),
        source(leases, ({ type, object }) => {
          if (type !== "delete") heartbeats.observeLease(object, clock.now());
          return [];
        }),
      ],
      alsoAwait: [pods],
      observe(name) {
        const node = nodes.lister.get("", name);
        if (node === undefined) return undefined;
        const nowMs = clock.now();
        const isReady = nodeCondition(node, "Ready")?.status === "True";
        const notReady = isReady ? 0 : nodes.byIndex(NOT_READY_INDEX, NOT_READY_INDEX).length;
        return {
          node,
          isNew: unregistered.has(name),
          silentForMs: heartbeats.silentForMs(name, nowMs),
          monitorGracePeriodMs: options.nodeMonitorGracePeriodMs ?? MONITOR_GRACE_PERIOD_MS,
          startupGracePeriodMs: options.nodeStartupGracePeriodMs ?? STARTUP_GRACE_PERIOD_MS,
          evictionsStopped: !isReady && notReady === nodes.lister.list().length,
          podsToMark: toMark.has(name) ? podsOnNode(pods, name) : [],
          nowMs,
        };
      },
      reconcile,
      execute,
    });
  },
};

/** Node events are told without resource version, as upstream does. */
function nodeReference({ metadata }: Node): ObjectReference {
  return {
    kind: "Node",
    apiVersion: "v1",
    name: metadata.name ?? "",
    ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
  };
}
