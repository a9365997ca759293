import type { ContainerStatus } from "../container.ts";
import type { PodSandbox } from "../pod-sandbox.ts";
import type { ContainerStats, CpuUsage, FilesystemUsage, MemoryUsage, PodSandboxStats } from "../stats.ts";

/** What a simulated container pretends to use: a thousandth of a core, and 8 MiB. */
const CPU_NANO_CORES = 1_000_000;
const MEMORY_BYTES: number = 8 * 1024 * 1024;

/** Where simulated runtimes pretend to keep their files. */
const FAKE_MOUNTPOINT = "/var/lib/kybern";

/** What a container that runs pretends to use. */
export function fakeContainerStats(status: ContainerStatus, nowMs: number): ContainerStats {
  const { id, metadata, labels, annotations, startedAtMs = nowMs } = status;
  const cpuNanoSeconds = Math.round((Math.max(0, nowMs - startedAtMs) / 1000) * CPU_NANO_CORES);
  return {
    id,
    metadata,
    labels,
    annotations,
    cpu: cpuUsage(nowMs, CPU_NANO_CORES, cpuNanoSeconds),
    memory: memoryUsage(nowMs, MEMORY_BYTES),
    writableLayer: emptyFilesystem(nowMs),
    swap: undefined,
    io: undefined,
  };
}

/** The same for a sandbox with all that runs in it. */
export function fakeSandboxStats(
  { id, metadata, labels, annotations }: PodSandbox,
  containers: readonly ContainerStats[],
  nowMs: number,
): PodSandboxStats {
  const sum = (of: (stats: ContainerStats) => number | undefined): number =>
    containers.reduce((all, stats) => all + (of(stats) ?? 0), 0);
  const nanoCores = sum(({ cpu }) => cpu?.usageNanoCores);
  return {
    id,
    metadata,
    labels,
    annotations,
    cpu: cpuUsage(
      nowMs,
      nanoCores,
      sum(({ cpu }) => cpu?.usageCoreNanoSeconds),
    ),
    memory: memoryUsage(
      nowMs,
      sum(({ memory }) => memory?.workingSetBytes),
    ),
    network: undefined,
    processCount: containers.length,
    io: undefined,
    containers,
  };
}

/** A disk on which nothing was written. */
export function emptyFilesystem(timestampMs: number): FilesystemUsage {
  return { timestampMs, mountpoint: FAKE_MOUNTPOINT, usedBytes: 0, inodesUsed: 0 };
}

function cpuUsage(timestampMs: number, usageNanoCores: number, usageCoreNanoSeconds: number): CpuUsage {
  return { timestampMs, usageNanoCores, usageCoreNanoSeconds, psi: undefined };
}

function memoryUsage(timestampMs: number, bytes: number): MemoryUsage {
  return {
    timestampMs,
    workingSetBytes: bytes,
    availableBytes: undefined,
    usageBytes: bytes,
    rssBytes: bytes,
    pageFaults: undefined,
    majorPageFaults: undefined,
    psi: undefined,
  };
}
