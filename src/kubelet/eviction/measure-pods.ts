import type { Pod } from "#api/generated/core/v1.ts";
import type { KubeletHost } from "../server/kubelet-host.ts";
import { type ContainerUsage, usageOf } from "../server/usage.ts";
import type { VolumeStats } from "../volumes/volume-stats.ts";
import type { ContainerUse, PodUse } from "./pod-usage.ts";

/** What pods are measured with. */
export interface MeasurePodsRequest {
  readonly host: Pick<KubeletHost, "runtime" | "rates">;
  readonly pods: readonly Pod[];
  readonly volumeStats: (pod: Pod) => Promise<readonly VolumeStats[]>;
  /** How long a log file is, in bytes. */
  readonly logBytes: (path: string) => Promise<number>;
}

/** What pods use, by their uids, and of memory all together. */
export interface MeasuredPods {
  readonly byUid: ReadonlyMap<string, PodUse>;
  readonly memoryBytes: number;
}

/** Asks the runtime, and the disks, what pods use. */
export async function measurePods({ host, pods, volumeStats, logBytes }: MeasurePodsRequest): Promise<MeasuredPods> {
  const used = await usageOf(host);
  const known = new Map(pods.map((pod) => [pod.metadata.uid ?? "", pod]));
  const entries = used.map(async (one): Promise<readonly [string, PodUse]> => {
    const pod = known.get(one.uid);
    const volumes = pod === undefined ? [] : await volumeStats(pod).catch(() => []);
    return [
      one.uid,
      {
        memoryBytes: one.memoryBytes,
        processes: one.processCount ?? 0,
        containers: await Promise.all(one.containers.map((container) => containerUse(container, logBytes))),
        volumes: volumes.map(({ name, usedBytes, inodesUsed, isLocalEphemeral }) => ({
          name,
          bytes: usedBytes,
          inodes: inodesUsed,
          isLocalEphemeral,
        })),
      },
    ];
  });
  return {
    byUid: new Map(await Promise.all(entries)),
    memoryBytes: used.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
  };
}

async function containerUse(
  { name, memoryBytes, writableLayer, logPath }: ContainerUsage,
  logBytes: MeasurePodsRequest["logBytes"],
): Promise<ContainerUse> {
  return {
    name,
    memoryBytes,
    rootfs: { bytes: writableLayer?.usedBytes ?? 0, inodes: writableLayer?.inodesUsed ?? 0 },
    logs: { bytes: logPath === "" ? 0 : await logBytes(logPath), inodes: 1 },
  };
}
