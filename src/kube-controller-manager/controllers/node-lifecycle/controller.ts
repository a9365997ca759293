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
    nodes.addIndex(NOT_READY_INDEX, (node) => (isNodeReady(node) ? [] : [NOT_READY_INDEX]));
    const notReadyNodes = (): readonly Node[] => nodes.byIndex(NOT_READY_INDEX, NOT_READY_INDEX);
    /** Names of the nodes that were ready when their last change was told. */
    const ready = new Set<string>();
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
            ready.delete(name);
            const message = `Node ${name} event: Removing Node ${name} from Controller`;
            recorder.event(nodeReference(object), "Normal", "RemovingNode", message);
            return [];
          }
          if (heartbeats.observeNode(object, clock.elapsed())) unregistered.add(name);
          const isReady = isNodeReady(object);
          if (old !== undefined && isNodeReady(old) && !isReady) toMark.add(name);
          if (!isReady) {
            ready.delete(name);
            return [name];
          }
          toMark.delete(name);
          const isFirst = ready.size === 0;
          ready.add(name);
          // The first ready node of a cluster lets evictions from the others go on. Further ones do not change that.
          return isFirst ? [name, ...notReadyNodes().map(({ metadata }) => metadata.name ?? "")] : [name];
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
        return {
          node,
          isNew: unregistered.has(name),
          silentForMs: heartbeats.silentForMs(name, clock.elapsed()),
          monitorGracePeriodMs: options.nodeMonitorGracePeriodMs ?? MONITOR_GRACE_PERIOD_MS,
          startupGracePeriodMs: options.nodeStartupGracePeriodMs ?? STARTUP_GRACE_PERIOD_MS,
          evictionsStopped: !isNodeReady(node) && nodes.countByIndex(NOT_READY_INDEX, NOT_READY_INDEX) === nodes.size,
          podsToMark: toMark.has(name) ? podsOnNode(pods, name) : [],
          nowMs: clock.now(),
        };
      },
      reconcile,
      execute: (decided) => actions.execute(decided),
    });
  },
};

function isNodeReady(node: Node): boolean {
  return nodeCondition(node, "Ready")?.status === "True";
}
