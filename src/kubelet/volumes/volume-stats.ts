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
