import type { VolumeStats } from "../volumes/volume-stats.ts";
import type { KubeletHost } from "./kubelet-host.ts";
import type { Metric } from "./metric.ts";

const METRICS: readonly (readonly [string, string, (stats: VolumeStats) => number])[] = [
  ["capacity_bytes", "Capacity in bytes of the volume", ({ capacityBytes }) => capacityBytes],
  ["available_bytes", "Number of available bytes in the volume", ({ availableBytes }) => availableBytes],
  ["used_bytes", "Number of used bytes in the volume", ({ usedBytes }) => usedBytes],
  ["inodes", "Maximum number of inodes in the volume", ({ inodes }) => inodes],
  ["inodes_free", "Number of free inodes in the volume", ({ inodesFree }) => inodesFree],
  ["inodes_used", "Number of used inodes in the volume", ({ inodesUsed }) => inodesUsed],
];

/** `kubelet_volume_stats_*` of volumes that claims use; one that several pods use counts once. */
export async function volumeMetrics({
  pods,
  volumeStats,
}: Pick<KubeletHost, "pods" | "volumeStats">): Promise<readonly Metric[]> {
  if (volumeStats === undefined) return [];
  const all = (await Promise.all(pods().map((pod) => volumeStats(pod)))).flat();
  const claims = new Map<string, VolumeStats>();
  for (const stats of all) if (stats.pvcRef !== undefined) claims.set(`${stats.pvcRef.namespace}/${stats.pvcRef.name}`, stats);
  if (claims.size === 0) return [];
  return METRICS.map(([name, help, amountOf]) => ({
    name: `kubelet_volume_stats_${name}`,
    help: `[ALPHA] ${help}`,
    type: "gauge",
    samples: [...claims.values()].map((stats) => {
      const { namespace = "", name: persistentvolumeclaim = "" } = stats.pvcRef ?? {};
      return { labels: { namespace, persistentvolumeclaim }, value: amountOf(stats) };
    }),
  }));
}

/** Volumes as `stats/summary` shows them. */
export function volumeSummary(stats: readonly VolumeStats[], time: string): readonly object[] {
  return stats.map(({ name, pvcRef, usedBytes, capacityBytes, availableBytes, inodes, inodesFree, inodesUsed }) => ({
    time,
    availableBytes,
    capacityBytes,
    usedBytes,
    inodesFree,
    inodes,
    inodesUsed,
    name,
    ...(pvcRef === undefined ? {} : { pvcRef }),
  }));
}
