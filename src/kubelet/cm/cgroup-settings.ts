import { weightOf } from "./cpu-units.ts";

/** What a cgroup is set to; what is not named is left as it is, or without a limit. */
export interface CgroupSettings {
  readonly cpuShares?: number;
  readonly cpuQuotaUs?: number;
  readonly cpuPeriodUs?: number;
  /** In bytes. */
  readonly memoryMax?: number;
  readonly pidsMax?: number;
  readonly hugePages?: readonly { readonly pageSize: string; readonly limit: number }[];
}

/** What is written to a file of a cgroup. */
export interface CgroupWrite {
  /** Which of the kernel's resources it is of; without it in the kernel the write is left out. */
  readonly controller: "cpu" | "memory" | "pids" | "hugetlb";
  readonly file: string;
  readonly text: string;
}

const PERIOD_US = 100_000;

/** The writes of cgroup v1. A limit that is gone is taken away. */
export function writesV1(settings: CgroupSettings): readonly CgroupWrite[] {
  const { cpuShares, cpuQuotaUs, cpuPeriodUs, memoryMax, pidsMax, hugePages = [] } = settings;
  return [
    ...(cpuShares === undefined ? [] : [write("cpu", "cpu.shares", cpuShares)]),
    ...(cpuPeriodUs === undefined ? [] : [write("cpu", "cpu.cfs_period_us", cpuPeriodUs)]),
    write("cpu", "cpu.cfs_quota_us", cpuQuotaUs ?? -1),
    write("memory", "memory.limit_in_bytes", memoryMax ?? -1),
    write("pids", "pids.max", pidsMax ?? "max"),
    ...hugePages.map(({ pageSize, limit }) => write("hugetlb", `hugetlb.${pageSize}.limit_in_bytes`, limit)),
  ];
}

/** The writes of cgroup v2. */
export function writesV2(settings: CgroupSettings): readonly CgroupWrite[] {
  const { cpuShares, cpuQuotaUs, cpuPeriodUs = PERIOD_US, memoryMax, pidsMax, hugePages = [] } = settings;
  return [
    ...(cpuShares === undefined ? [] : [write("cpu", "cpu.weight", weightOf(cpuShares))]),
    write("cpu", "cpu.max", `${cpuQuotaUs ?? "max"} ${cpuPeriodUs}`),
    write("memory", "memory.max", memoryMax ?? "max"),
    write("pids", "pids.max", pidsMax ?? "max"),
    ...hugePages.map(({ pageSize, limit }) => write("hugetlb", `hugetlb.${pageSize}.max`, limit)),
  ];
}

/** Properties of systemd for the same, as `systemctl set-property` takes them. */
export function systemdProperties(settings: CgroupSettings): readonly string[] {
  const { cpuShares, cpuQuotaUs, cpuPeriodUs = PERIOD_US, memoryMax, pidsMax } = settings;
  const percent = cpuQuotaUs === undefined ? "" : `${Math.ceil((cpuQuotaUs * 100) / cpuPeriodUs)}%`;
  return [
    ...(cpuShares === undefined ? [] : [`CPUWeight=${weightOf(cpuShares)}`]),
    `CPUQuota=${percent}`,
    `MemoryMax=${memoryMax ?? "infinity"}`,
    `TasksMax=${pidsMax ?? "infinity"}`,
  ];
}

function write(controller: CgroupWrite["controller"], file: string, value: string | number): CgroupWrite {
  return { controller, file, text: String(value) };
}
