import type { Volume } from "#api/generated/core/v1.ts";
import { parseQuantity, quantityValue } from "#apimachinery/resource/quantity.ts";
import type { HostFiles } from "#base/host-files.ts";
import { isFromApi } from "../inside/volume-files.ts";
import { type DiskUsage, fileSystemUsage, folderUsage } from "./disk-usage.ts";

/** What a volume of a pod takes, as `stats/summary` tells it. */
export interface VolumeStats extends DiskUsage {
  readonly name: string;
  /** The claim that it is used by. */
  readonly pvcRef?: { readonly name: string; readonly namespace: string };
  /** What it takes counts for the pod's local ephemeral storage: it is on the node's disk, and goes with the pod. */
  readonly isLocalEphemeral: boolean;
  /** What an emptyDir may take at most, in bytes; a pod that takes more is evicted. */
  readonly sizeLimitBytes?: number;
}

/** A volume that is set up. */
export interface MeasuredVolume {
  readonly volume: Volume;
  readonly path: string;
  /** It has a file system to itself: a local volume, or one of the network. */
  readonly hasFileSystem: boolean;
  readonly claim: { readonly name: string; readonly namespace: string } | undefined;
}

/** Measures a volume; undefined for those that are not measured, such as folders of the node. */
export async function volumeStats(
  files: Pick<HostFiles, "lstat" | "readdir" | "statfs">,
  { volume, path, hasFileSystem, claim }: MeasuredVolume,
): Promise<VolumeStats | undefined> {
  const { name, emptyDir, configMap } = volume;
  if (path === "" || (!hasFileSystem && emptyDir === undefined && !isFromApi(volume))) return undefined;
  const usage = await (hasFileSystem ? fileSystemUsage(files, path) : folderUsage(files, path));
  const { sizeLimit } = emptyDir ?? {};
  return {
    name,
    ...usage,
    ...(claim === undefined ? {} : { pvcRef: claim }),
    isLocalEphemeral: configMap !== undefined || (emptyDir !== undefined && (emptyDir.medium ?? "") === ""),
    ...(sizeLimit === undefined ? {} : { sizeLimitBytes: quantityValue(parseQuantity(sizeLimit)) }),
  };
}

const METRICS: readonly (readonly [string, string, (stats: DiskUsage) => number])[] = [
  ["capacity_bytes", "Capacity in bytes of the volume", ({ capacityBytes }) => capacityBytes],
  ["available_bytes", "Number of available bytes in the volume", ({ availableBytes }) => availableBytes],
  ["used_bytes", "Number of used bytes in the volume", ({ usedBytes }) => usedBytes],
  ["inodes", "Maximum number of inodes in the volume", ({ inodes }) => inodes],
  ["inodes_free", "Number of free inodes in the volume", ({ inodesFree }) => inodesFree],
  ["inodes_used", "Number of used inodes in the volume", ({ inodesUsed }) => inodesUsed],
];

/** `kubelet_volume_stats_*` of volumes that are used by claims, in the text format of Prometheus; one that several pods use counts once. */
export function volumeStatsMetrics(all: readonly VolumeStats[]): string {
  const claims = new Map(all.flatMap((stats) => (stats.pvcRef === undefined ? [] : [[labelsOf(stats.pvcRef), stats] as const])));
  if (claims.size === 0) return "";
  return METRICS.map(([name, help, amountOf]) => {
    const metric = `kubelet_volume_stats_${name}`;
    const lines = [...claims].map(([labels, stats]) => `${metric}{${labels}} ${amountOf(stats)}\n`);
    return `# HELP ${metric} [ALPHA] ${help}\n# TYPE ${metric} gauge\n${lines.join("")}`;
  }).join("");
}

function labelsOf({ name, namespace }: NonNullable<VolumeStats["pvcRef"]>): string {
  return `namespace="${namespace}",persistentvolumeclaim="${name}"`;
}
