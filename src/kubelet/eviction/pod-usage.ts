import type { Pod } from "#api/generated/core/v1.ts";

/** What is on a disk. */
export interface DiskUse {
  readonly bytes: number;
  readonly inodes: number;
}

/** What a container uses. */
export interface ContainerUse {
  readonly name: string;
  readonly memoryBytes: number;
  /** What it has written to its own file system. */
  readonly rootfs: DiskUse;
  readonly logs: DiskUse;
}

/** What a volume of a pod takes. */
export interface VolumeUse extends DiskUse {
  readonly name: string;
  readonly isLocalEphemeral: boolean;
}

/** What a pod uses. */
export interface PodUse {
  readonly memoryBytes: number;
  readonly processes: number;
  readonly containers: readonly ContainerUse[];
  readonly volumes: readonly VolumeUse[];
}

/** What is known of pods; undefined for those of which nothing is. */
export type UseOf = (pod: Pod) => PodUse | undefined;

/** Parts of what pods have on disks. */
export type DiskPart = "rootfs" | "logs" | "volumes";

/** What of a pod is on a disk that holds these parts. */
export function diskUseOf(use: PodUse, parts: readonly DiskPart[]): DiskUse {
  const lists: readonly DiskUse[] = [
    ...(parts.includes("rootfs") ? use.containers.map(({ rootfs }) => rootfs) : []),
    ...(parts.includes("logs") ? use.containers.map(({ logs }) => logs) : []),
    ...(parts.includes("volumes") ? use.volumes.filter(({ isLocalEphemeral }) => isLocalEphemeral) : []),
  ];
  return lists.reduce<DiskUse>((sum, one) => ({ bytes: sum.bytes + one.bytes, inodes: sum.inodes + one.inodes }), {
    bytes: 0,
    inodes: 0,
  });
}
