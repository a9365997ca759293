import type { Lease } from "#api/generated/coordination/v1.ts";
import type { Node, Pod } from "#api/generated/core/v1.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { addNodeNameIndex, podsOnNode } from "../../framework/pod-indexes.ts";
import { LEASES, NODES, PODS } from "../../framework/resources.ts";
import { Heartbeats } from "./heartbeats.ts";
import { NodeLifecycleActions } from "./node-lifecycle-actions.ts";
import { nodeReference } from "./node-reference.ts";
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

    const actions = new NodeLifecycleActions({ client, clock, recorder, unregistered, toMark });

    return controller<Observed, Action>({
      sources: [
        source(nodes, ({ type, object, old }) => {
          const name = object.metadata.name ?? "";
          if (type === "delete") {
            heartbeats.forget(name);
            unregistered.delete(name);
            toMark.delete(name);
            const message = `Node ${name} event: Removing Node ${name} from Controller`;
            recorder.event(nodeReference(object), "Normal", "RemovingNode", message);
            return [];
          }
          if (heartbeats.observeNode(object, clock.elapsed())) unregistered.add(name);
          const isReady = nodeCondition(object, "Ready")?.status === "True";
          const wasReady = old !== undefined && nodeCondition(old, "Ready")?.status === "True";
          if (wasReady && !isReady) toMark.add(name);
          if (isReady) toMark.delete(name);
          const first = isReady && !wasReady && nodes.byIndex(NOT_READY_INDEX, NOT_READY_INDEX).length > 0;
          // The first ready node of a cluster lets evictions from the others go on.
          return first ? nodes.lister.list().map(({ metadata }) => metadata.name ?? "") : [name];
        }),
        source(leases, ({ type, object }) => {
          if (type !== "delete") heartbeats.observeLease(object, clock.elapsed());
          return [];
        }),
      ],
      alsoAwait: [pods],
      observe(name) {
        const node = nodes.lister.get("", name);
        if (node === undefined) return undefined;
        const isReady = nodeCondition(node, "Ready")?.status === "True";
        const notReady = isReady ? 0 : nodes.byIndex(NOT_READY_INDEX, NOT_READY_INDEX).length;
        return {
          node,
          isNew: unregistered.has(name),
          silentForMs: heartbeats.silentForMs(name, clock.elapsed()),
          monitorGracePeriodMs: options.nodeMonitorGracePeriodMs ?? MONITOR_GRACE_PERIOD_MS,
          startupGracePeriodMs: options.nodeStartupGracePeriodMs ?? STARTUP_GRACE_PERIOD_MS,
          evictionsStopped: !isReady && notReady === nodes.lister.list().length,
          podsToMark: toMark.has(name) ? podsOnNode(pods, name) : [],
          nowMs: clock.now(),
        };
      },
      reconcile,
      execute: (decided) => actions.execute(decided),
    });
  },
};
