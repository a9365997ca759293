import type { Pod } from "#api/generated/core/v1.ts";
import type { ClusterLister } from "../../framework/cluster-lister.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import type { FilterPlugin, Plugin, PreFilterPlugin } from "../../framework/plugin.ts";
import { SKIP, SUCCESS, unresolvable, unschedulable } from "../../framework/status.ts";
import { hintOfClaim } from "../volume-binding/volume-hints.ts";
import { disksConflict, namesDisks } from "./disk-conflicts.ts";

const NAME = "VolumeRestrictions";
const DISK_TAKEN = unschedulable("node(s) had no available disk");
const CLAIM_TAKEN = unschedulable("node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode");

/** The claims of a pod that no other pod may use, and how many pods use them. */
interface State {
  readonly claims: ReadonlySet<string>;
  readonly users: number;
  readonly ofNodes: ReadonlyMap<string, number>;
}

/** Disks that one pod of a node can use, and claims that one pod of the cluster can use (KEP-2485). */
export function volumeRestrictions(cluster: ClusterLister): Plugin & PreFilterPlugin & FilterPlugin {
  return {
    name: NAME,
    eventsToRegister: [
      {
        resource: "AssignedPod",
        actions: ["delete"],
        queueingHint: ({ pod }, event) => (event.resource === "AssignedPod" && shares(pod, event.pod) ? "Queue" : "Skip"),
      },
      { resource: "Node", actions: ["add"] },
      { resource: "PersistentVolumeClaim", actions: ["add", "update"], queueingHint: hintOfClaim },
    ],

    preFilter(state, { pod }) {
      const claims = new Set<string>();
      for (const name of claimNamesOf(pod)) {
        const claim = cluster.claim(pod.metadata.namespace ?? "", name);
        if (claim === undefined) return { status: unresolvable(`persistentvolumeclaim "${name}" not found`) };
        if (claim.spec?.accessModes?.includes("ReadWriteOncePod")) claims.add(name);
      }
      if (claims.size === 0) return { status: namesDisks(pod) ? SUCCESS : SKIP };
      const ofNodes = new Map<string, number>();
      let users = 0;
      for (const node of cluster.nodes().all) {
        const count = usersOn(node, claims, pod);
        if (count === 0) continue;
        ofNodes.set(node.name, count);
        users += count;
      }
      state.write(NAME, { claims, users, ofNodes } satisfies State);
      return { status: SUCCESS };
    },

    filter(state, { pod }, node) {
      if (namesDisks(pod)) {
        for (const other of node.pods.values()) if (disksConflict(pod, other.pod)) return DISK_TAKEN;
      }
      const known = state.read<State>(NAME);
      if (known === undefined) return SUCCESS;
      // The node may have changed since, as preemption tries it out.
      const users = known.users - (known.ofNodes.get(node.name) ?? 0) + usersOn(node, known.claims, pod);
      return users > 0 ? CLAIM_TAKEN : SUCCESS;
    },
  };
}

/** Whether both use a disk or a claim that may be for one of them only. */
function shares(pod: Pod, other: Pod): boolean {
  if (disksConflict(pod, other)) return true;
  if (pod.metadata.namespace !== other.metadata.namespace) return false;
  const claims = claimNamesOf(other);
  return claimNamesOf(pod).some((name) => claims.includes(name));
}

function usersOn({ pods }: NodeInfo, claims: ReadonlySet<string>, { metadata }: Pod): number {
  let count = 0;
  for (const { pod } of pods.values()) {
    if (pod.metadata.namespace === metadata.namespace && claimNamesOf(pod).some((name) => claims.has(name))) count += 1;
  }
  return count;
}

function claimNamesOf({ spec }: Pod): string[] {
  return (spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []);
}
