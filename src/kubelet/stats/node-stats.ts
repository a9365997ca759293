import type { FileSystemInfo } from "../nodestatus/machine.ts";
import { type MachineFiles, memoryLine } from "../nodestatus/machine-files.ts";
import { defaultInterface } from "../nodestatus/routes.ts";

/** Processor time is told in hundredths of a second. */
const NANOS_PER_TICK = 10_000_000;

/** What a network interface has carried since it came up. */
export interface InterfaceStats {
  readonly name: string;
  readonly rxBytes: number;
  readonly rxErrors: number;
  readonly txBytes: number;
  readonly txErrors: number;
}

/** What `/proc/net/dev` tells of a network interface. */
export interface DeviceCounters extends InterfaceStats {
  readonly rxPackets: number;
  readonly rxDropped: number;
  readonly txPackets: number;
  readonly txDropped: number;
}

/** Memory of the machine, in bytes. */
export interface MemoryStats {
  readonly capacityBytes: number;
  readonly usageBytes: number;
  /** Without what the kernel keeps of files that it can let go. */
  readonly workingSetBytes: number;
  readonly rssBytes: number;
  readonly pageFaults: number;
  readonly majorPageFaults: number;
}

/** Room on a disk, and how much of it the kubelet or the runtime has taken where that is known. */
export interface DiskStats extends FileSystemInfo {
  readonly usedBytes: number;
  readonly inodesUsed: number;
}

/** What a machine uses, all its programs together. */
export interface NodeStats {
  /** Processor time since it started. */
  readonly cpuNanoSeconds: number;
  readonly cpus: number;
  readonly memory: MemoryStats;
  readonly swap: { readonly usageBytes: number; readonly availableBytes: number };
  readonly network: { readonly defaultName: string | undefined; readonly interfaces: readonly InterfaceStats[] };
  /** Most process ids, and how many are in use. */
  readonly processes: { readonly max: number; readonly running: number };
  /** Of the kubelet's own file system, of images and of what containers write. */
  readonly disks: { readonly node: DiskStats; readonly images: DiskStats; readonly containers: DiskStats };
}

/** What the kernel's files tell: all but the disks (upstream's cAdvisor for the cgroup `/`). */
export async function kernelStats(files: MachineFiles, cpus: number): Promise<Omit<NodeStats, "disks">> {
  const [stat, meminfo, vmstat, devices, routes, pidMax, load] = await Promise.all(
    [
      "/proc/stat",
      "/proc/meminfo",
      "/proc/vmstat",
      "/proc/net/dev",
      "/proc/net/route",
      "/proc/sys/kernel/pid_max",
      "/proc/loadavg",
    ].map((path) => files.read(path)),
  );
  const swapTotal = memoryLine(meminfo ?? "", "SwapTotal");
  const swapFree = memoryLine(meminfo ?? "", "SwapFree");
  return {
    cpuNanoSeconds: cpuNanoSeconds(stat ?? ""),
    cpus,
    memory: memoryStats(meminfo ?? "", vmstat ?? ""),
    swap: { usageBytes: swapTotal - swapFree, availableBytes: swapFree },
    network: { defaultName: defaultInterface(routes ?? "", 4), interfaces: interfaceStats(devices ?? "") },
    processes: { max: Number((pidMax ?? "").trim()), running: Number(/\d+\/(\d+)/.exec(load ?? "")?.[1] ?? 0) },
  };
}

/** The first line of `/proc/stat`: all that was not idle or waiting for disks. */
function cpuNanoSeconds(text: string): number {
  const fields = /^cpu\s+(.*)$/m.exec(text)?.[1]?.split(/\s+/).map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
  return (user + nice + system + irq + softirq + steal) * NANOS_PER_TICK;
}

function memoryStats(meminfo: string, vmstat: string): MemoryStats {
  const capacityBytes = memoryLine(meminfo, "MemTotal");
  const usageBytes = capacityBytes - memoryLine(meminfo, "MemFree");
  const inactive = memoryLine(meminfo, "Inactive\\(file\\)");
  const counter = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(vmstat)?.[1] ?? 0);
  return {
    capacityBytes,
    usageBytes,
    workingSetBytes: Math.max(0, usageBytes - inactive),
    rssBytes: memoryLine(meminfo, "AnonPages"),
    pageFaults: counter("pgfault"),
    majorPageFaults: counter("pgmajfault"),
  };
}

function interfaceStats(text: string): readonly InterfaceStats[] {
  return deviceCounters(text).map(({ name, rxBytes, rxErrors, txBytes, txErrors }) => ({
    name,
    rxBytes,
    rxErrors,
    txBytes,
    txErrors,
  }));
}

/** `/proc/net/dev` without loopback and without the pods' ends. */
export function deviceCounters(text: string): readonly DeviceCounters[] {
  return text.split("\n").flatMap((line) => {
    const [, name = "", rest = ""] = /^\s*([^:\s]+):\s*(.*)$/.exec(line) ?? [];
    if (name === "" || name === "lo" || /^(veth|docker|br-)/.test(name)) return [];
    const fields = rest.trim().split(/\s+/).map(Number);
    const [rxBytes = 0, rxPackets = 0, rxErrors = 0, rxDropped = 0] = fields;
    const [txBytes = 0, txPackets = 0, txErrors = 0, txDropped = 0] = fields.slice(8);
    return [{ name, rxBytes, rxPackets, rxErrors, rxDropped, txBytes, txPackets, txErrors, txDropped }];
  });
}
