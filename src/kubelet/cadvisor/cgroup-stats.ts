/** Processor time, in seconds. */
export interface CpuStats {
  readonly usage: number;
  readonly user: number;
  readonly system: number;
  /** Of a cgroup with a quota. */
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly throttled: number;
  readonly burstPeriods: number;
  readonly burst: number;
}

/** Memory, in bytes. */
export interface MemoryStats {
  readonly usage: number;
  /** Undefined where the kernel does not remember it. */
  readonly maxUsage: number | undefined;
  readonly workingSet: number;
  readonly cache: number;
  readonly rss: number;
  readonly kernel: number;
  readonly mappedFile: number;
  readonly swap: number;
  readonly activeFile: number;
  readonly inactiveFile: number;
  readonly failures: number;
  /** Of its own, and with those of the cgroups below it. */
  readonly faults: Faults;
  readonly allFaults: Faults;
}

/** Page faults; major ones had to wait for a disk. */
export interface Faults {
  readonly minor: number;
  readonly major: number;
}

/** What was read from a device and written to it. */
export interface DeviceStats {
  readonly major: number;
  readonly minor: number;
  /** By operation: `Read`, `Write`, `Discard` and, of v1, others. */
  readonly bytes: Readonly<Record<string, number>>;
  readonly operations: Readonly<Record<string, number>>;
}

/** For how long, in seconds, some tasks or all of them could not go on for want of something. */
export interface Pressure {
  readonly waiting: number;
  readonly stalled: number;
}

/** What a cgroup may have; undefined: as much as there is. */
export interface CgroupLimits {
  readonly cpuShares: number | undefined;
  readonly cpuPeriodUs: number | undefined;
  readonly cpuQuotaUs: number | undefined;
  readonly memory: number | undefined;
  readonly swap: number | undefined;
  readonly reservation: number | undefined;
}

/** What the kernel tells of a cgroup; undefined where it does not tell. */
export interface CgroupStats {
  readonly cpu: CpuStats | undefined;
  readonly memory: MemoryStats | undefined;
  readonly limits: CgroupLimits;
  readonly devices: readonly DeviceStats[];
  readonly pressure: Readonly<Record<"cpu" | "memory" | "io", Pressure | undefined>>;
  readonly oomKills: number | undefined;
  readonly threads: number | undefined;
  /** Undefined: as many as there are. */
  readonly threadsMax: number | undefined;
}

/** A file of a cgroup, of v1 of its controller's tree; empty where it is not there. */
export type ReadCgroupFile = (controller: string, file: string) => Promise<string>;

const NANO = 1e9;
const MICRO = 1e6;
/** The kernel tells times of users and of itself in hundredths of a second in v1. */
const TICKS = 100;
/** From here on limits of v1 are none: what fits into the kernel's counters, rounded to pages. */
const UNLIMITED = 2 ** 62;
const WEIGHT_MIN = 1;
const WEIGHT_MAX = 10_000;
const SHARES_MIN = 2;
const SHARES_MAX = 262_144;

/**
 * Reads what there is of a cgroup (cAdvisor's `lib/container/libcontainer` and `lib/container/common`). `usageBytes` stands in for
 * memory where the kernel does not tell it, as of v2's root.
 */
export async function cgroupStats(version: 1 | 2, read: ReadCgroupFile, usageBytes?: number): Promise<CgroupStats> {
  const limits = version === 1 ? limitsV1(read) : limitsV2(read);
  const pids = Promise.all([read("pids", "pids.current"), read("pids", "pids.max")]);
  const [cpu, memory, devices, pressure, oomKills, [current, max]] = await Promise.all([
    version === 1 ? cpuV1(read) : cpuV2(read),
    version === 1 ? memoryV1(read) : memoryV2(read, usageBytes),
    version === 1 ? devicesV1(read) : devicesV2(read),
    pressureOf(read),
    read("memory", version === 1 ? "memory.oom_control" : "memory.events").then((text) => pairs(text).oom_kill),
    pids,
  ]);
  const threads = numberOf(current);
  return { cpu, memory, limits: await limits, devices, pressure, oomKills, threads, threadsMax: numberOf(max) };
}

async function cpuV1(read: ReadCgroupFile): Promise<CpuStats | undefined> {
  const [total, stat, throttling] = await Promise.all([
    read("cpuacct", "cpuacct.usage"),
    read("cpuacct", "cpuacct.stat").then(pairs),
    read("cpu", "cpu.stat").then(pairs),
  ]);
  const usage = numberOf(total);
  if (usage === undefined) return undefined;
  return {
    usage: usage / NANO,
    user: (stat.user ?? 0) / TICKS,
    system: (stat.system ?? 0) / TICKS,
    periods: throttling.nr_periods ?? 0,
    throttledPeriods: throttling.nr_throttled ?? 0,
    throttled: (throttling.throttled_time ?? 0) / NANO,
    burstPeriods: throttling.nr_bursts ?? 0,
    burst: (throttling.burst_time ?? 0) / NANO,
  };
}

async function cpuV2(read: ReadCgroupFile): Promise<CpuStats | undefined> {
  const stat = pairs(await read("cpu", "cpu.stat"));
  if (stat.usage_usec === undefined) return undefined;
  return {
    usage: stat.usage_usec / MICRO,
    user: (stat.user_usec ?? 0) / MICRO,
    system: (stat.system_usec ?? 0) / MICRO,
    periods: stat.nr_periods ?? 0,
    throttledPeriods: stat.nr_throttled ?? 0,
    throttled: (stat.throttled_usec ?? 0) / MICRO,
    burstPeriods: stat.nr_bursts ?? 0,
    burst: (stat.burst_usec ?? 0) / MICRO,
  };
}

async function memoryV1(read: ReadCgroupFile): Promise<MemoryStats | undefined> {
  const of = (file: string): Promise<number | undefined> => read("memory", file).then(numberOf);
  const [stat, usage, maxUsage, failures, kernel] = await Promise.all([
    read("memory", "memory.stat").then(pairs),
    ...["memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.failcnt", "memory.kmem.usage_in_bytes"].map(of),
  ]);
  if (usage === undefined) return undefined;
  const inactiveFile = stat.total_inactive_file ?? 0;
  return {
    usage,
    maxUsage,
    workingSet: Math.max(0, usage - inactiveFile),
    cache: stat.total_cache ?? 0,
    rss: stat.total_rss ?? 0,
    kernel: kernel ?? 0,
    mappedFile: stat.total_mapped_file ?? 0,
    swap: stat.total_swap ?? 0,
    activeFile: stat.total_active_file ?? 0,
    inactiveFile,
    failures: failures ?? 0,
    faults: { minor: stat.pgfault ?? 0, major: stat.pgmajfault ?? 0 },
    allFaults: { minor: stat.total_pgfault ?? 0, major: stat.total_pgmajfault ?? 0 },
  };
}

async function memoryV2(read: ReadCgroupFile, usageBytes: number | undefined): Promise<MemoryStats | undefined> {
  const of = (file: string): Promise<number | undefined> => read("memory", file).then(numberOf);
  const [stat, events, current, maxUsage, swap] = await Promise.all([
    read("memory", "memory.stat").then(pairs),
    read("memory", "memory.events").then(pairs),
    ...["memory.current", "memory.peak", "memory.swap.current"].map(of),
  ]);
  const usage = current ?? usageBytes;
  if (usage === undefined) return undefined;
  const inactiveFile = stat.inactive_file ?? 0;
  const faults = { minor: stat.pgfault ?? 0, major: stat.pgmajfault ?? 0 };
  return {
    usage,
    maxUsage,
    workingSet: Math.max(0, usage - inactiveFile),
    cache: stat.file ?? 0,
    rss: stat.anon ?? 0,
    kernel: stat.kernel ?? (stat.kernel_stack ?? 0) + (stat.slab ?? 0),
    mappedFile: stat.file_mapped ?? 0,
    swap: swap ?? 0,
    activeFile: stat.active_file ?? 0,
    inactiveFile,
    failures: events.max ?? 0,
    // It counts those below it always.
    faults,
    allFaults: faults,
  };
}

async function limitsV1(read: ReadCgroupFile): Promise<CgroupLimits> {
  const of = (controller: string, file: string): Promise<number | undefined> => read(controller, file).then(numberOf);
  const [cpuShares, cpuPeriodUs, quota, memory, swap, reservation] = await Promise.all([
    of("cpu", "cpu.shares"),
    of("cpu", "cpu.cfs_period_us"),
    of("cpu", "cpu.cfs_quota_us"),
    of("memory", "memory.limit_in_bytes"),
    of("memory", "memory.memsw.limit_in_bytes"),
    of("memory", "memory.soft_limit_in_bytes"),
  ]);
  const cpuQuotaUs = quota === undefined || quota <= 0 ? undefined : quota;
  const [memoryMax, swapMax, reserved] = [memory, swap, reservation].map(limited);
  return { cpuShares, cpuPeriodUs, cpuQuotaUs, memory: memoryMax, swap: swapMax, reservation: reserved };
}

async function limitsV2(read: ReadCgroupFile): Promise<CgroupLimits> {
  const of = (file: string): Promise<number | undefined> => read(file.split(".")[0] ?? "", file).then(numberOf);
  const [weight, max, memory, swap, reservation] = await Promise.all([
    of("cpu.weight"),
    read("cpu", "cpu.max"),
    of("memory.max"),
    of("memory.swap.max"),
    of("memory.min"),
  ]);
  const [quota = "", period = ""] = max.trim().split(" ");
  const cpuShares = weight === undefined ? undefined : sharesOf(weight);
  return { cpuShares, cpuPeriodUs: numberOf(period), cpuQuotaUs: numberOf(quota), memory, swap, reservation };
}

/** What shares of v1 a weight of v2 stands for (KEP-2254). */
function sharesOf(weight: number): number {
  return SHARES_MIN + Math.trunc(((weight - WEIGHT_MIN) * (SHARES_MAX - SHARES_MIN)) / (WEIGHT_MAX - WEIGHT_MIN));
}

async function devicesV1(read: ReadCgroupFile): Promise<readonly DeviceStats[]> {
  const [bytes, operations] = await Promise.all(
    ["blkio.throttle.io_service_bytes", "blkio.throttle.io_serviced"].map((file) => read("blkio", file)),
  );
  const devices = new Map<string, { bytes: Record<string, number>; operations: Record<string, number> }>();
  for (const [key, text] of [
    ["bytes", bytes],
    ["operations", operations],
  ] as const) {
    for (const [, id = "", operation = "", value] of (text ?? "").matchAll(/^(\d+:\d+) (\w+) (\d+)$/gm)) {
      const device = devices.get(id) ?? { bytes: {}, operations: {} };
      device[key][operation] = Number(value);
      devices.set(id, device);
    }
  }
  return [...devices].map(([id, device]) => ({ ...numbersOf(id), ...device }));
}

async function devicesV2(read: ReadCgroupFile): Promise<readonly DeviceStats[]> {
  const text = await read("io", "io.stat");
  return [...text.matchAll(/^(\d+:\d+) (.*)$/gm)].map(([, id = "", rest = ""]) => {
    const values = Object.fromEntries(rest.split(" ").map((pair) => pair.split("=") as [string, string]));
    const of = (suffix: string): Record<string, number> =>
      Object.fromEntries(
        (["Read", "Write", "Discard"] as const).flatMap((operation) => {
          const value = values[`${operation[0]?.toLowerCase()}${suffix}`];
          return value === undefined ? [] : [[operation, Number(value)]];
        }),
      );
    return { ...numbersOf(id), bytes: of("bytes"), operations: of("ios") };
  });
}

function numbersOf(id: string): { readonly major: number; readonly minor: number } {
  const [major = 0, minor = 0] = id.split(":").map(Number);
  return { major, minor };
}

async function pressureOf(read: ReadCgroupFile): Promise<CgroupStats["pressure"]> {
  const of = async (what: "cpu" | "memory" | "io"): Promise<Pressure | undefined> => {
    const text = await read(what, `${what}.pressure`);
    const total = (line: string): number => Number(new RegExp(`^${line} .*total=(\\d+)`, "m").exec(text)?.[1] ?? 0) / MICRO;
    return text === "" ? undefined : { waiting: total("some"), stalled: total("full") };
  };
  const [cpu, memory, io] = await Promise.all([of("cpu"), of("memory"), of("io")]);
  return { cpu, memory, io };
}

/** Lines of a name and a number. */
function pairs(text: string): Readonly<Record<string, number>> {
  return Object.fromEntries([...text.matchAll(/^(\w+) (\d+)$/gm)].map(([, name = "", value]) => [name, Number(value)]));
}

function numberOf(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? "";
  return /^-?\d+$/.test(trimmed) ? Number(trimmed) : undefined;
}

function limited(value: number | undefined): number | undefined {
  return value === undefined || value > UNLIMITED ? undefined : value;
}
