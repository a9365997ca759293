import type { Clock } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import type { ClusterLister } from "../../framework/cluster-lister.ts";
import type { CycleState } from "../../framework/cycle-state.ts";
import type { FilterPlugin, Plugin, PreBindPlugin, PreFilterPlugin, ReservePlugin } from "../../framework/plugin.ts";
import { errorStatus, SKIP, type Status, SUCCESS, unresolvable } from "../../framework/status.ts";
import { ClaimBinder } from "./claim-binder.ts";
import { type NodeVolumes, volumesOn } from "./node-volumes.ts";
import { type PodClaims, podClaims } from "./pod-claims.ts";
import { hintOfClaim, hintOfClass, hintOfVolume } from "./volume-hints.ts";

const NAME = "VolumeBinding";
const UNBOUND = unresolvable("pod has unbound immediate PersistentVolumeClaims");

/** What is known of a pod's volumes in one cycle. */
interface State {
  readonly claims: PodClaims;
  readonly byNode: Map<string, NodeVolumes>;
}

/** A pod's volumes have to be there, reachable from its node; those that wait for a pod are bound before it (KEP-490). */
export function volumeBinding(options: {
  client: Client;
  clock: Clock;
  cluster: ClusterLister;
}): Plugin & PreFilterPlugin & FilterPlugin & ReservePlugin & PreBindPlugin {
  const { cluster } = options;
  const binder = new ClaimBinder(options);
  /** Volumes that are promised to pods whose binding is under way, by name. */
  const promised = new Map<string, string>();
  const stateOf = (state: CycleState): State | undefined => state.read<State>(NAME);

  return {
    name: NAME,
    eventsToRegister: [
      { resource: "PersistentVolumeClaim", actions: ["add", "update"], queueingHint: hintOfClaim },
      { resource: "PersistentVolume", actions: ["add", "update"], queueingHint: hintOfVolume },
      { resource: "StorageClass", actions: ["add", "update"], queueingHint: hintOfClass },
      { resource: "Node", actions: ["add", "updateLabel"] },
    ],

    preFilter(state, { pod }) {
      const claims = podClaims(pod, cluster);
      if (claims === undefined) return { status: SKIP };
      if ("error" in claims) return { status: unresolvable(claims.error) };
      if (claims.unbound.length > 0) return { status: UNBOUND };
      state.write(NAME, { claims, byNode: new Map() } satisfies State);
      return { status: SUCCESS };
    },

    filter(state, _, { node, name }): Status {
      const known = stateOf(state);
      if (known === undefined || node === undefined) return SUCCESS;
      const volumes = volumesOn(node, known.claims, cluster, new Set(promised.keys()));
      if ("reasons" in volumes) return unresolvable(...volumes.reasons);
      known.byNode.set(name, volumes);
      return SUCCESS;
    },

    reserve(state, { uid }, nodeName) {
      for (const { volume } of stateOf(state)?.byNode.get(nodeName)?.bindings ?? [])
        promised.set(volume.metadata.name ?? "", uid);
      return SUCCESS;
    },

    unreserve(_, { uid }) {
      for (const [name, owner] of promised) if (owner === uid) promised.delete(name);
    },

    async preBind(state, pod, nodeName, signal) {
      const known = stateOf(state);
      const volumes = known?.byNode.get(nodeName);
      if (known === undefined || volumes === undefined || known.claims.waiting.length === 0) return SUCCESS;
      try {
        await binder.bind(pod, known.claims, volumes, nodeName, signal);
      } catch (error) {
        return errorStatus(error instanceof Error ? error.message : String(error));
      }
      // The volumes point at their claims now, for all to see.
      for (const [name, owner] of promised) if (owner === pod.uid) promised.delete(name);
      return SUCCESS;
    },
  };
}
