import type { Metric, Sample } from "../server/metric.ts";
import type { CgroupReading } from "./cgroup-reader.ts";
import type { CpuStats, DeviceStats, MemoryStats } from "./cgroup-stats.ts";

/** A metric of each of many things: its values of one of them, with the labels that are not the thing's own. */
export interface Family<T> {
  readonly name: string;
  readonly help: string;
  readonly type: Metric["type"];
  readonly values: (of: T) => readonly Sample[];
}

/** What `cgroupFamilies` are told of a cgroup beside what the kernel counts. */
export interface CgroupFacts extends CgroupReading {
  /** `/dev/sda` of major and minor numbers; empty where it has no name. */
  readonly deviceName: (device: DeviceStats) => string;
}

/** What cAdvisor tells of each cgroup, in its names and words, with what kubelets leave out left out (`lib/metrics/prometheus.go`). */
export const CGROUP_FAMILIES: readonly Family<CgroupFacts>[] = [
  cpu("cpu_user_seconds_total", "Cumulative user cpu time consumed in seconds.", ({ user }) => user),
  cpu("cpu_system_seconds_total", "Cumulative system cpu time consumed in seconds.", ({ system }) => system),
  family("cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed in seconds.", (one) =>
    one.cpu === undefined ? [] : [{ labels: { cpu: "total" }, value: one.cpu.usage }],
  ),
  quota("cpu_cfs_periods_total", "Number of elapsed enforcement period intervals.", (one) => one.periods),
  quota("cpu_cfs_throttled_periods_total", "Number of throttled period intervals.", (one) => one.throttledPeriods),
  quota("cpu_cfs_throttled_seconds_total", "Total time duration the container has been throttled.", (one) => one.throttled),
  quota("cpu_cfs_burst_periods_total", "Number of periods when burst occurs.", (one) => one.burstPeriods),
  quota("cpu_cfs_burst_seconds_total", "Total time duration the container has been bursted.", (one) => one.burst),
  memory("memory_cache", "gauge", "Number of bytes of page cache memory.", ({ cache }) => cache),
  memory("memory_rss", "gauge", "Size of RSS in bytes.", ({ rss }) => rss),
  memory("memory_kernel_usage", "gauge", "Size of kernel memory allocated in bytes.", ({ kernel }) => kernel),
  memory("memory_mapped_file", "gauge", "Size of memory mapped files in bytes.", ({ mappedFile }) => mappedFile),
  memory("memory_swap", "gauge", "Container swap usage in bytes.", ({ swap }) => swap),
  memory("memory_failcnt", "counter", "Number of memory usage hits limits", ({ failures }) => failures),
  memory(
    "memory_usage_bytes",
    "gauge",
    "Current memory usage in bytes, including all memory regardless of when it was accessed",
    ({ usage }) => usage,
  ),
  memory("memory_max_usage_bytes", "gauge", "Maximum memory usage recorded in bytes", ({ maxUsage }) => maxUsage),
  memory("memory_working_set_bytes", "gauge", "Current working set in bytes.", ({ workingSet }) => workingSet),
  memory("memory_total_active_file_bytes", "gauge", "Current total active file in bytes.", ({ activeFile }) => activeFile),
  memory("memory_total_inactive_file_bytes", "gauge", "Current total inactive file in bytes.", (one) => one.inactiveFile),
  family("memory_failures_total", "counter", "Cumulative count of memory allocation failures.", ({ memory: stats }) =>
    stats === undefined
      ? []
      : (["container", "hierarchy"] as const).flatMap((scope) => {
          const { minor, major } = scope === "container" ? stats.faults : stats.allFaults;
          return [
            { labels: { failure_type: "pgfault", scope }, value: minor },
            { labels: { failure_type: "pgmajfault", scope }, value: major },
          ];
        }),
  ),
  family("oom_events_total", "counter", "Count of out of memory events observed for the container", (one) => only(one.oomKills)),
  device("fs_reads_bytes_total", "Cumulative count of bytes read", ({ bytes }) => bytes.Read),
  device("fs_reads_total", "Cumulative count of reads completed", ({ operations }) => operations.Read),
  device("fs_writes_bytes_total", "Cumulative count of bytes written", ({ bytes }) => bytes.Write),
  device("fs_writes_total", "Cumulative count of writes completed", ({ operations }) => operations.Write),
  family("blkio_device_usage_total", "counter", "Blkio Device bytes usage", ({ devices, deviceName }) =>
    devices.flatMap((one) =>
      Object.entries(one.bytes).map(([operation, value]) => ({
        labels: { device: deviceName(one), major: String(one.major), minor: String(one.minor), operation },
        value,
      })),
    ),
  ),
  ...network("receive", "received", "receiving", "rx"),
  ...network("transmit", "transmitted", "transmitting", "tx"),
  ...pressure("cpu", "CPU"),
  ...pressure("memory", "memory"),
  ...pressure("io", "IO"),
  family("processes", "gauge", "Number of processes running inside the container.", ({ processes }) => only(processes)),
  family("file_descriptors", "gauge", "Number of open file descriptors for the container.", ({ files }) => only(files)),
  family("sockets", "gauge", "Number of open sockets for the container.", ({ sockets }) => only(sockets)),
  family(
    "threads_max",
    "gauge",
    "Maximum number of threads allowed inside the container, infinity if value is zero",
    ({ threads, threadsMax }) => (threads === undefined ? [] : only(threadsMax ?? 0)),
  ),
  family("threads", "gauge", "Number of threads running inside the container", ({ threads }) => only(threads)),
  family(
    "ulimits_soft",
    "gauge",
    "Soft ulimit values for the container root process. Unlimited if -1, except priority and nice",
    ({ filesMax }) => (filesMax === undefined ? [] : [{ labels: { ulimit: "max_open_files" }, value: filesMax }]),
  ),
  family("spec_cpu_period", "gauge", "CPU period of the container.", ({ limits }) => only(limits.cpuPeriodUs)),
  family("spec_cpu_quota", "gauge", "CPU quota of the container.", ({ limits }) => only(limits.cpuQuotaUs)),
  family("spec_cpu_shares", "gauge", "CPU share of the container.", ({ limits }) => only(limits.cpuShares)),
  limit("spec_memory_limit_bytes", "Memory limit for the container.", ({ limits }) => limits.memory),
  limit("spec_memory_swap_limit_bytes", "Memory swap limit for the container.", ({ limits }) => limits.swap),
  limit("spec_memory_reservation_limit_bytes", "Memory reservation limit for the container.", ({ limits }) => limits.reservation),
];

function family<T>(name: string, type: Metric["type"], help: string, values: Family<T>["values"]): Family<T> {
  return { name: `container_${name}`, help, type, values };
}

function only(value: number | undefined): readonly Sample[] {
  return value === undefined ? [] : [{ value }];
}

function cpu(name: string, help: string, value: (stats: CpuStats) => number): Family<CgroupFacts> {
  return family(name, "counter", help, (one) => only(one.cpu && value(one.cpu)));
}

/** Of cgroups with a quota alone. */
function quota(name: string, help: string, value: (stats: CpuStats) => number): Family<CgroupFacts> {
  return family(name, "counter", help, (one) =>
    one.cpu === undefined || one.limits.cpuQuotaUs === undefined ? [] : only(value(one.cpu)),
  );
}

function memory(
  name: string,
  type: Metric["type"],
  help: string,
  value: (stats: MemoryStats) => number | undefined,
): Family<CgroupFacts> {
  return family(name, type, help, (one) => only(one.memory && value(one.memory)));
}

function device(name: string, help: string, value: (stats: DeviceStats) => number | undefined): Family<CgroupFacts> {
  return family(name, "counter", help, ({ devices, deviceName }) =>
    devices.flatMap((one) => only(value(one)).map((sample) => ({ ...sample, labels: { device: deviceName(one) } }))),
  );
}

/** 0 where there is no limit. */
function limit(name: string, help: string, value: (of: CgroupFacts) => number | undefined): Family<CgroupFacts> {
  return family(name, "gauge", help, (one) => (one.memory === undefined ? [] : only(value(one) ?? 0)));
}

function network(way: string, done: string, doing: string, side: "rx" | "tx"): readonly Family<CgroupFacts>[] {
  const counters = [
    ["bytes_total", `Cumulative count of bytes ${done}`, `${side}Bytes`],
    ["packets_total", `Cumulative count of packets ${done}`, `${side}Packets`],
    ["packets_dropped_total", `Cumulative count of packets dropped while ${doing}`, `${side}Dropped`],
    ["errors_total", `Cumulative count of errors encountered while ${doing}`, `${side}Errors`],
  ] as const;
  return counters.map(([name, help, key]) =>
    family(`network_${way}_${name}`, "counter", help, ({ interfaces }) =>
      interfaces.map((one) => ({ labels: { interface: one.name }, value: one[key] })),
    ),
  );
}

function pressure(what: "cpu" | "memory" | "io", called: string): readonly Family<CgroupFacts>[] {
  const waiting = `Total time duration tasks in the container have waited due to ${called} congestion.`;
  const stalled = `Total time duration no tasks in the container could make progress due to ${called} congestion.`;
  return [
    family(`pressure_${what}_waiting_seconds_total`, "counter", waiting, (one) => only(one.pressure[what]?.waiting)),
    family(`pressure_${what}_stalled_seconds_total`, "counter", stalled, (one) => only(one.pressure[what]?.stalled)),
  ];
}
