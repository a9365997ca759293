import type { MachineInfo } from "./machine.ts";

/** How the kernel's and the distribution's files are read: what is not there is empty. */
export interface MachineFiles {
  read(path: string): Promise<string>;
  list(path: string): Promise<readonly string[]>;
}

const HUGE_PAGES = "/sys/kernel/mm/hugepages";
const MACHINE_IDS = ["/etc/machine-id", "/var/lib/dbus/machine-id"];
const SYSTEM_UUIDS = ["/sys/class/dmi/id/product_uuid", "/proc/device-tree/system-id", "/proc/device-tree/vm,uuid"];

/** What a machine is and has, by its files (upstream's cAdvisor `machine.Info`). */
export async function machineInfo(
  files: MachineFiles,
  known: Pick<MachineInfo, "cpus" | "architecture" | "kernelVersion">,
): Promise<MachineInfo> {
  const [memory, release, bootId, machineId, systemUuid, hugePages] = await Promise.all([
    files.read("/proc/meminfo"),
    files.read("/etc/os-release"),
    files.read("/proc/sys/kernel/random/boot_id"),
    firstOf(files, MACHINE_IDS),
    firstOf(files, SYSTEM_UUIDS),
    readHugePages(files),
  ]);
  return {
    ...known,
    memoryBytes: memoryLine(memory, "MemTotal"),
    swapBytes: memoryLine(memory, "SwapTotal"),
    hugePages,
    machineId,
    // Where the firmware tells none, upstream's falls back to the machine's id.
    systemUuid: systemUuid === "" ? machineId : systemUuid,
    bootId: bootId.trim(),
    osImage: osImage(release),
  };
}

async function readHugePages(files: MachineFiles): Promise<Readonly<Record<number, number>>> {
  const sizes = (await files.list(HUGE_PAGES)).flatMap((name) => /^hugepages-(\d+)kB$/.exec(name)?.[1] ?? []);
  const counts = sizes.map(async (kib) => {
    const count = Number((await files.read(`${HUGE_PAGES}/hugepages-${kib}kB/nr_hugepages`)).trim());
    return [Number(kib), Number.isInteger(count) ? count : 0] as const;
  });
  return Object.fromEntries(await Promise.all(counts));
}

async function firstOf(files: MachineFiles, paths: readonly string[]): Promise<string> {
  for (const path of paths) {
    const text = (await files.read(path)).replaceAll("\0", "").trim();
    if (text !== "") return text;
  }
  return "";
}

/** A line of `/proc/meminfo`, in bytes. */
export function memoryLine(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024;
}

function osImage(release: string): string {
  const value = /^PRETTY_NAME=(.*)$/m.exec(release)?.[1]?.trim() ?? "";
  const text = value.replace(/^"(.*)"$/, "$1").replace(/^'(.*)'$/, "$1");
  return text === "" ? "Unknown" : text;
}
