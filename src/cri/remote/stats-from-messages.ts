import type { ContainerStats, FilesystemUsage, NetworkUsage, PodSandboxStats } from "../stats.ts";
import { toMs } from "./from-messages.ts";
import type { MessageRead } from "./schema/messages.ts";

/** What a container uses. */
export function containerStatsOf(message: MessageRead<"ContainerStats">): ContainerStats {
  const { attributes, cpu, memory, writableLayer, swap, io } = message;
  const { id = "", metadata = { name: "", attempt: 0 }, labels = {}, annotations = {} } = attributes ?? {};
  return {
    id,
    metadata,
    labels,
    annotations,
    cpu: measured(cpu),
    memory: measured(memory),
    writableLayer: writableLayer && filesystemOf(writableLayer),
    swap: measured(swap),
    io: measured(io),
  };
}

/** What a sandbox and its containers use. */
export function sandboxStatsOf({ attributes, linux }: MessageRead<"PodSandboxStats">): PodSandboxStats {
  const none = { name: "", namespace: "", uid: "", attempt: 0 };
  const { id = "", metadata = none, labels = {}, annotations = {} } = attributes ?? {};
  return {
    id,
    metadata,
    labels,
    annotations,
    cpu: measured(linux?.cpu),
    memory: measured(linux?.memory),
    network: linux?.network && networkOf(linux.network),
    processCount: linux?.process?.processCount,
    io: measured(linux?.io),
    containers: (linux?.containers ?? []).map(containerStatsOf),
  };
}

/** Room on a disk. */
export function filesystemOf({ timestamp, fsId, usedBytes, inodesUsed }: MessageRead<"FilesystemUsage">): FilesystemUsage {
  return { timestampMs: toMs(timestamp), mountpoint: fsId?.mountpoint ?? "", usedBytes, inodesUsed };
}

function networkOf({ timestamp, defaultInterface, interfaces }: MessageRead<"NetworkUsage">): NetworkUsage {
  return { timestampMs: toMs(timestamp), defaultInterface, interfaces };
}

function measured<T extends { readonly timestamp: number }>(
  usage: T | undefined,
): (Omit<T, "timestamp"> & { readonly timestampMs: number }) | undefined {
  if (usage === undefined) return undefined;
  const { timestamp, ...rest } = usage;
  return { ...rest, timestampMs: toMs(timestamp) };
}
