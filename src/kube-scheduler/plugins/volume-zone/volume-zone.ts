import type { PersistentVolume } from "#api/generated/core/v1.ts";
import type { ClusterLister } from "../../framework/cluster-lister.ts";
import type { FilterPlugin, Plugin, PreFilterPlugin } from "../../framework/plugin.ts";
import { SKIP, SUCCESS, unresolvable } from "../../framework/status.ts";
import { hintOfClaim } from "../volume-binding/volume-hints.ts";

const NAME = "VolumeZone";
const ELSEWHERE = unresolvable("node(s) had no available volume zone");

/** Labels that say where a volume or a node is; the former names still count. */
const FORMER_NAMES: Readonly<Record<string, string>> = {
  "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
};
const TOPOLOGY_LABELS: readonly string[] = [...Object.keys(FORMER_NAMES), ...Object.values(FORMER_NAMES)];
/** Separates the zones of a volume that is in several. */
const SEPARATOR = "__";

interface Place {
  readonly key: string;
  readonly values: readonly string[];
}

/** Volumes with a zone or region can be used only there. */
export function volumeZone(cluster: ClusterLister): Plugin & PreFilterPlugin & FilterPlugin {
  return {
    name: NAME,
    eventsToRegister: [
      { resource: "PersistentVolumeClaim", actions: ["add", "update"], queueingHint: hintOfClaim },
      {
        resource: "PersistentVolume",
        actions: ["add", "update"],
        // Where it is was known before.
        queueingHint: (_, event) =>
          event.resource === "PersistentVolume" && (event.old === undefined || isElsewhere(event.old, event.volume))
            ? "Queue"
            : "Skip",
      },
      { resource: "StorageClass", actions: ["add"] },
      { resource: "Node", actions: ["add", "updateLabel"] },
    ],

    preFilter(state, { pod }) {
      const places = (pod.spec.volumes ?? []).flatMap(({ persistentVolumeClaim }): Place[] => {
        if (persistentVolumeClaim === undefined) return [];
        const claim = cluster.claim(pod.metadata.namespace ?? "", persistentVolumeClaim.claimName);
        const labels = cluster.volume(claim?.spec?.volumeName ?? "")?.metadata.labels ?? {};
        return TOPOLOGY_LABELS.flatMap((key) => {
          const value = labels[key];
          return value === undefined ? [] : [{ key, values: value.split(SEPARATOR) }];
        });
      });
      if (places.length === 0) return { status: SKIP };
      state.write(NAME, places);
      return { status: SUCCESS };
    },

    filter(state, _, { node }) {
      const labels = node?.metadata.labels ?? {};
      // A node that is nowhere is not held against the pod.
      if (!TOPOLOGY_LABELS.some((key) => labels[key] !== undefined)) return SUCCESS;
      for (const { key, values } of state.read<readonly Place[]>(NAME) ?? []) {
        const value = labels[key] ?? labels[FORMER_NAMES[key] ?? ""];
        if (value === undefined || !values.includes(value)) return ELSEWHERE;
      }
      return SUCCESS;
    },
  };
}

function isElsewhere(old: PersistentVolume, volume: PersistentVolume): boolean {
  return TOPOLOGY_LABELS.some((key) => old.metadata.labels?.[key] !== volume.metadata.labels?.[key]);
}
