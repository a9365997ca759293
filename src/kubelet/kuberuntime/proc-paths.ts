import { posix } from "node:path";
import type { HostFiles } from "#base/host-files.ts";

/** What of `/proc` and `/sys` containers do not see, as upstream's `securitycontext` has it. */
const MASKED_PATHS: readonly string[] = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];
/** What of them containers cannot write to. */
const READONLY_PATHS: readonly string[] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** What is hidden and what is not written to, by `procMount`; `cpuPaths` are folders of this machine that tell of its heat. */
export function procPaths(
  procMount: string | undefined,
  cpuPaths: readonly string[] = [],
): { readonly maskedPaths: readonly string[]; readonly readonlyPaths: readonly string[] } {
  if (procMount === "Unmasked") return { maskedPaths: [], readonlyPaths: [] };
  return { maskedPaths: [...MASKED_PATHS, ...cpuPaths], readonlyPaths: READONLY_PATHS };
}

const CPUS = "/sys/devices/system/cpu";

/** The folders of this machine that tell of the heat of its processors, which containers do not see. */
export async function hotCpuPaths({ readdir, access }: Pick<HostFiles, "readdir" | "access">): Promise<readonly string[]> {
  const names = await readdir(CPUS).catch(() => []);
  const paths = names.filter((name) => /^cpu\d+$/.test(name)).map((name) => posix.join(CPUS, name, "thermal_throttle"));
  const found = await Promise.all(
    paths.map((path) =>
      access(path).then(
        () => [path],
        () => [],
      ),
    ),
  );
  return found.flat();
}
