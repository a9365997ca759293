import type { ContainerMetadata } from "./container.ts";
import type { PodSandboxMetadata } from "./pod-sandbox.ts";

/** When something was measured, in milliseconds since the epoch. Numbers that the runtime did not tell are undefined. */
interface Measured {
  readonly timestampMs: number;
}

/** One line of the kernel's pressure stall information: microseconds in all, and shares of the last seconds in percent. */
export interface PressureData {
  readonly total: number;
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
}

/** How much was waited for a resource: by all at once, and by some. */
export interface Pressure {
  readonly full: PressureData | undefined;
  readonly some: PressureData | undefined;
}

/** Processor time. */
export interface CpuUsage extends Measured {
  /** Since it began. */
  readonly usageCoreNanoSeconds: number | undefined;
  /** Per second, over the runtime's last interval. */
  readonly usageNanoCores: number | undefined;
  readonly psi: Pressure | undefined;
}

/** Memory. */
export interface MemoryUsage extends Measured {
  readonly workingSetBytes: number | undefined;
  /** Of a limit. */
  readonly availableBytes: number | undefined;
  readonly usageBytes: number | undefined;
  readonly rssBytes: number | undefined;
  readonly pageFaults: number | undefined;
  readonly majorPageFaults: number | undefined;
  readonly psi: Pressure | undefined;
}

/** Swapped memory. */
export interface SwapUsage extends Measured {
  readonly swapAvailableBytes: number | undefined;
  readonly swapUsageBytes: number | undefined;
}

/** Waiting for disks. */
export interface IoUsage extends Measured {
  readonly psi: Pressure | undefined;
}

/** Room on a disk. */
export interface FilesystemUsage extends Measured {
  /** A folder of the file system that is meant. */
  readonly mountpoint: string;
  readonly usedBytes: number | undefined;
  readonly inodesUsed: number | undefined;
}

/** What a network interface has carried since it began. */
export interface NetworkInterfaceUsage {
  readonly name: string;
  readonly rxBytes: number | undefined;
  readonly rxErrors: number | undefined;
  readonly txBytes: number | undefined;
  readonly txErrors: number | undefined;
}

/** Traffic of a sandbox. */
export interface NetworkUsage extends Measured {
  readonly defaultInterface: NetworkInterfaceUsage | undefined;
  readonly interfaces: readonly NetworkInterfaceUsage[];
}

/** What a container uses; parts that the runtime did not tell are undefined. */
export interface ContainerStats {
  readonly id: string;
  readonly metadata: ContainerMetadata;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly cpu: CpuUsage | undefined;
  readonly memory: MemoryUsage | undefined;
  /** What it has written to its own file system. */
  readonly writableLayer: FilesystemUsage | undefined;
  readonly swap: SwapUsage | undefined;
  readonly io: IoUsage | undefined;
}

/** What a sandbox and its containers use. */
export interface PodSandboxStats {
  readonly id: string;
  readonly metadata: PodSandboxMetadata;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly cpu: CpuUsage | undefined;
  readonly memory: MemoryUsage | undefined;
  readonly network: NetworkUsage | undefined;
  readonly processCount: number | undefined;
  readonly io: IoUsage | undefined;
  readonly containers: readonly ContainerStats[];
}

/** Containers or sandboxes whose stats are wanted: those that fit all that is named. */
export interface StatsFilter {
  readonly id?: string;
  readonly labelSelector?: Readonly<Record<string, string>>;
}
