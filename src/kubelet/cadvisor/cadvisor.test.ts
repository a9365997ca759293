import { expect, test } from "vitest";
import type { RuntimeService } from "#cri/runtime-service.ts";
import { containerMetrics } from "../server/container-metrics.ts";
import type { KubeletHost } from "../server/kubelet-host.ts";
import { Cadvisor } from "./cadvisor.ts";

const UID = "0b1c2d3e-1111-2222-3333-444455556666";
const MAIN = "a".repeat(64);
const PAUSE = "b".repeat(64);

/** Of processors, memory, devices: as the kernel writes them, of v1 by controller. */
const V1: Readonly<Record<string, string>> = {
  "cpuacct/cpuacct.usage": "2500000000\n",
  "cpuacct/cpuacct.stat": "user 150\nsystem 50\n",
  "cpu/cpu.stat": "nr_periods 10\nnr_throttled 4\nthrottled_time 3000000000\n",
  "cpu/cpu.shares": "204\n",
  "cpu/cpu.cfs_period_us": "100000\n",
  "cpu/cpu.cfs_quota_us": "50000\n",
  "memory/memory.usage_in_bytes": "5000\n",
  "memory/memory.max_usage_in_bytes": "9000\n",
  "memory/memory.failcnt": "3\n",
  "memory/memory.kmem.usage_in_bytes": "700\n",
  "memory/memory.stat":
    "pgfault 5\npgmajfault 1\ntotal_cache 1200\ntotal_rss 2200\ntotal_mapped_file 300\ntotal_swap 40\ntotal_pgfault 6\ntotal_pgmajfault 2\ntotal_inactive_file 1000\ntotal_active_file 200\n",
  "memory/memory.limit_in_bytes": "67108864\n",
  "memory/memory.memsw.limit_in_bytes": "9223372036854771712\n",
  "memory/memory.soft_limit_in_bytes": "9223372036854771712\n",
  "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
  "memory/cgroup.procs": "41\n42\n",
  "blkio/blkio.throttle.io_service_bytes": "8:0 Read 4096\n8:0 Write 8192\n8:0 Total 12288\nTotal 12288\n",
  "blkio/blkio.throttle.io_serviced": "8:0 Read 1\n8:0 Write 2\nTotal 3\n",
  "pids/pids.current": "7\n",
  "pids/pids.max": "100\n",
};
const V2: Readonly<Record<string, string>> = {
  "cpu.stat":
    "usage_usec 2500000\nuser_usec 1500000\nsystem_usec 500000\nnr_periods 10\nnr_throttled 4\nthrottled_usec 3000000\nnr_bursts 1\nburst_usec 2000\n",
  "cpu.weight": "8\n",
  "cpu.max": "50000 100000\n",
  "cpu.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=200\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=100\n",
  "memory.current": "5000\n",
  "memory.peak": "9000\n",
  "memory.swap.current": "40\n",
  "memory.stat":
    "anon 2200\nfile 1200\nkernel 700\nfile_mapped 300\ninactive_file 1000\nactive_file 200\npgfault 6\npgmajfault 2\n",
  "memory.events": "low 0\nhigh 0\nmax 3\noom 2\noom_kill 2\n",
  "memory.max": "67108864\n",
  "memory.swap.max": "max\n",
  "memory.min": "0\n",
  "memory.pressure": "some avg10=0.00 total=0\nfull avg10=0.00 total=0\n",
  "io.stat": "8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n",
  "io.pressure": "some avg10=0.00 total=3000000\nfull avg10=0.00 total=1000000\n",
  "cgroup.procs": "41\n42\n",
  "pids.current": "7\n",
  "pids.max": "max\n",
};
const MACHINE: Readonly<Record<string, string>> = {
  "/proc/partitions": "major minor  #blocks  name\n\n   8        0  1048576 sda\n",
  "/proc/stat": "cpu 1 2 3\nbtime 1700000000\n",
  "/proc/cpuinfo":
    "processor\t: 0\nphysical id\t: 0\ncore id\t\t: 0\n\nprocessor\t: 1\nphysical id\t: 0\ncore id\t\t: 0\n\nprocessor\t: 2\nphysical id\t: 1\ncore id\t\t: 0\n",
  "/proc/41/net/dev":
    "Inter-|   Receive |  Transmit\n face |bytes packets errs\n    lo: 9 9 9 9 0 0 0 0 9 9 9 9 0 0 0 0\n  eth0: 100 5 1 2 0 0 0 0 200 6 3 4 0 0 0 0\n",
  "/proc/41/limits":
    "Limit                     Soft Limit           Hard Limit           Units\nMax open files            1024     4096   files\n",
};
const LINKS: Readonly<Record<string, string>> = {
  "/proc/41/fd/0": "/dev/null",
  "/proc/41/fd/1": "socket:[1]",
  "/proc/42/fd/0": "socket:[2]",
};

interface Kind {
  readonly version: 1 | 2;
  readonly mounts: string;
  readonly counters: Readonly<Record<string, string>>;
  /** The paths of a pod and of its two containers. */
  readonly pod: string;
  readonly main: string;
  readonly pause: string;
}

const v1Mounts = ["cpu", "cpuacct", "memory", "blkio", "pids"]
  .map((name) => `cgroup /cg/${name} cgroup rw,${name} 0 0\n`)
  .join("");
const slice = `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${UID.replaceAll("-", "_")}.slice`;
const kinds: readonly Kind[] = [
  {
    version: 1,
    mounts: v1Mounts,
    counters: V1,
    pod: `/kubepods/burstable/pod${UID}`,
    main: `/kubepods/burstable/pod${UID}/${MAIN}`,
    pause: `/kubepods/burstable/pod${UID}/${PAUSE}`,
  },
  {
    version: 2,
    mounts: "cgroup2 /cg cgroup2 rw 0 0\n",
    counters: V2,
    pod: slice,
    main: `${slice}/cri-containerd-${MAIN}.scope`,
    pause: `${slice}/cri-containerd-${PAUSE}.scope`,
  },
];

/** Files of a machine whose one pod has a container and its sandbox; every cgroup has the same counters. */
function filesOf({ version, mounts, counters, main, pause }: Kind) {
  const all = new Map<string, string>(Object.entries({ ...MACHINE, "/proc/mounts": mounts }));
  const cgroups = new Set(
    [main, pause].flatMap((path) => path.split("/").map((_, at, parts) => parts.slice(0, at + 1).join("/"))),
  );
  for (const path of cgroups) {
    for (const [file, text] of Object.entries(counters)) {
      const [controller = "", name = ""] = version === 1 ? file.split("/") : ["", file];
      all.set(`/cg${version === 1 ? `/${controller}` : ""}${path}/${name}`, text);
    }
  }
  const paths = [...all.keys(), ...Object.keys(LINKS)];
  return {
    read: async (path: string) => all.get(path) ?? "",
    list: async (path: string) => [
      ...new Set(paths.flatMap((one) => (one.startsWith(`${path}/`) ? (one.slice(path.length + 1).split("/")[0] ?? []) : []))),
    ],
    link: async (path: string) => LINKS[path] ?? "",
  };
}

/** The page, by the values of lines without their common labels. */
async function pageOf(kind: Kind): Promise<{ names: readonly string[]; of: (path: string) => Readonly<Record<string, number>> }> {
  const info = { cpus: 3, memoryBytes: 8000, swapBytes: 0, machineId: "m", systemUuid: "s", bootId: "b", osImage: "Debian" };
  const machine = { info: async () => ({ ...info, hugePages: {}, kernelVersion: "6.1", architecture: "amd64" }) };
  const container = { id: MAIN, sandboxId: PAUSE, metadata: { name: "app", attempt: 0 }, image: "busybox:1" };
  const sandbox = { id: PAUSE, metadata: { name: "web", namespace: "shop", uid: UID, attempt: 0 }, createdAtMs: 5000 };
  const runtime = {
    containerStatuses: async () => [{ ...container, createdAtMs: 6000, startedAtMs: 7000 }],
    listPodSandbox: async () => [sandbox],
    listContainerStats: async () => [{ id: MAIN, writableLayer: { usedBytes: 77 } }],
  };
  const host = {
    runtime: runtime as unknown as RuntimeService,
    pods: () => [{ metadata: { name: "web", namespace: "shop", uid: UID }, spec: { containers: [] } }],
    cadvisor: await Cadvisor.start({ files: filesOf(kind), machine, cgroupRoot: "" }),
    sandboxImage: async () => "pause:3",
    now: () => 9000,
  };
  const metrics = await containerMetrics(host as unknown as KubeletHost);
  const of = (path: string): Readonly<Record<string, number>> =>
    Object.fromEntries(
      metrics.flatMap(({ name, samples }) =>
        samples.flatMap(({ labels = {}, value }) => {
          const { container: _c, id, image: _i, name: _n, namespace: _s, pod: _p, ...rest } = labels;
          const key = [name, ...Object.entries(rest).map((pair) => pair.join("="))].join(" ");
          return id === path ? [[key.replace("container_", ""), value]] : [];
        }),
      ),
    );
  return { names: metrics.map(({ name }) => name), of };
}

const COMMON = {
  "cpu_usage_seconds_total cpu=total": 2.5,
  cpu_user_seconds_total: 1.5,
  cpu_system_seconds_total: 0.5,
  cpu_cfs_periods_total: 10,
  cpu_cfs_throttled_periods_total: 4,
  cpu_cfs_throttled_seconds_total: 3,
  memory_cache: 1200,
  memory_rss: 2200,
  memory_kernel_usage: 700,
  memory_mapped_file: 300,
  memory_swap: 40,
  memory_failcnt: 3,
  memory_usage_bytes: 5000,
  memory_max_usage_bytes: 9000,
  memory_working_set_bytes: 4000,
  memory_total_active_file_bytes: 200,
  memory_total_inactive_file_bytes: 1000,
  "memory_failures_total failure_type=pgfault scope=hierarchy": 6,
  "memory_failures_total failure_type=pgmajfault scope=hierarchy": 2,
  oom_events_total: 2,
  "fs_reads_bytes_total device=/dev/sda": 4096,
  "fs_reads_total device=/dev/sda": 1,
  "fs_writes_bytes_total device=/dev/sda": 8192,
  "fs_writes_total device=/dev/sda": 2,
  "blkio_device_usage_total device=/dev/sda major=8 minor=0 operation=Write": 8192,
  processes: 2,
  file_descriptors: 3,
  sockets: 2,
  threads: 7,
  "ulimits_soft ulimit=max_open_files": 1024,
  spec_cpu_period: 100_000,
  spec_cpu_quota: 50_000,
  spec_memory_limit_bytes: 67_108_864,
  spec_memory_swap_limit_bytes: 0,
  spec_memory_reservation_limit_bytes: 0,
};

test.each(kinds)("what version $version tells of a container", async (kind) => {
  const { of } = await pageOf(kind);
  const own =
    kind.version === 1
      ? { spec_cpu_shares: 204, threads_max: 100, "memory_failures_total failure_type=pgfault scope=container": 5 }
      : {
          spec_cpu_shares: 185,
          threads_max: 0,
          cpu_cfs_burst_periods_total: 1,
          cpu_cfs_burst_seconds_total: 0.002,
          pressure_cpu_waiting_seconds_total: 0.0002,
          pressure_cpu_stalled_seconds_total: 0.0001,
          pressure_io_waiting_seconds_total: 3,
          pressure_io_stalled_seconds_total: 1,
        };
  const times = { creation_time_seconds: 6, start_time_seconds: 7, last_seen: 9, fs_usage_bytes: 77 };
  expect(of(kind.main)).toMatchObject({ ...COMMON, ...own, ...times });
  expect(Object.keys(of(kind.main)).filter((name) => name.startsWith("network"))).toEqual([]);
});

test.each(kinds)(
  "networks of version $version are the sandbox's, and pods have what their containers have together",
  async (kind) => {
    const { of } = await pageOf(kind);
    expect(of(kind.pause)).toMatchObject({
      "network_receive_bytes_total interface=eth0": 100,
      "network_receive_packets_total interface=eth0": 5,
      "network_receive_errors_total interface=eth0": 1,
      "network_receive_packets_dropped_total interface=eth0": 2,
      "network_transmit_bytes_total interface=eth0": 200,
      "network_transmit_packets_total interface=eth0": 6,
      "network_transmit_errors_total interface=eth0": 3,
      "network_transmit_packets_dropped_total interface=eth0": 4,
      start_time_seconds: 5,
    });
    expect(of(kind.pod)).toMatchObject({ memory_working_set_bytes: 4000 });
    expect(of("/")).toMatchObject({ start_time_seconds: 1_700_000_000 });
  },
);

test("cgroups are named by what is in them", async () => {
  const [kind] = kinds;
  if (kind === undefined) expect.unreachable();
  const cadvisor = await Cadvisor.start({ files: filesOf(kind), machine: { info: () => expect.unreachable() }, cgroupRoot: "" });
  expect(await cadvisor.list()).toEqual([
    { path: "/kubepods", podUid: undefined, containerId: undefined },
    { path: "/kubepods/burstable", podUid: undefined, containerId: undefined },
    { path: kind.pod, podUid: UID, containerId: undefined },
    { path: kind.main, podUid: UID, containerId: MAIN },
    { path: kind.pause, podUid: UID, containerId: PAUSE },
  ]);
});

/** What a kubelet of upstream tells of containers, without the prefix. */
const UPSTREAM: readonly string[] = `
  blkio_device_usage_total cpu_cfs_burst_periods_total cpu_cfs_burst_seconds_total cpu_cfs_periods_total
  cpu_cfs_throttled_periods_total cpu_cfs_throttled_seconds_total cpu_load_average_10s cpu_system_seconds_total
  cpu_usage_seconds_total cpu_user_seconds_total creation_time_seconds file_descriptors fs_inodes_free fs_inodes_total
  fs_io_current fs_io_time_seconds_total fs_io_time_weighted_seconds_total fs_limit_bytes fs_read_seconds_total
  fs_reads_bytes_total fs_reads_merged_total fs_reads_total fs_sector_reads_total fs_sector_writes_total fs_usage_bytes
  fs_write_seconds_total fs_writes_bytes_total fs_writes_merged_total fs_writes_total last_seen memory_cache
  memory_failcnt memory_failures_total memory_kernel_usage memory_mapped_file memory_max_usage_bytes memory_rss
  memory_swap memory_total_active_file_bytes memory_total_inactive_file_bytes memory_usage_bytes memory_working_set_bytes
  network_receive_bytes_total network_receive_errors_total network_receive_packets_dropped_total
  network_receive_packets_total network_transmit_bytes_total network_transmit_errors_total
  network_transmit_packets_dropped_total network_transmit_packets_total oom_events_total
  pressure_cpu_stalled_seconds_total pressure_cpu_waiting_seconds_total pressure_io_stalled_seconds_total
  pressure_io_waiting_seconds_total pressure_memory_stalled_seconds_total pressure_memory_waiting_seconds_total processes
  scrape_error sockets spec_cpu_period spec_cpu_quota spec_cpu_shares spec_memory_limit_bytes
  spec_memory_reservation_limit_bytes spec_memory_swap_limit_bytes start_time_seconds tasks_state threads threads_max
  ulimits_soft
`
  .trim()
  .split(/\s+/);
/** Of those, what is told by no kubelet but as 0, its reader of loads being off, and what is about whole devices, of the machine alone. */
const ABSENT: readonly string[] = `
  cpu_load_average_10s tasks_state
  fs_io_current fs_io_time_seconds_total fs_io_time_weighted_seconds_total fs_read_seconds_total fs_write_seconds_total
  fs_reads_merged_total fs_writes_merged_total fs_sector_reads_total fs_sector_writes_total
`
  .trim()
  .split(/\s+/);

test("every metric is there by its name", async () => {
  const pages = await Promise.all(kinds.map(pageOf));
  const names = new Set(pages.flatMap((page) => page.names));
  const ofContainers = [...names].flatMap((name) => (name.startsWith("container_") ? [name.slice("container_".length)] : []));
  // Of disks by the machine's own, which is none here.
  const disks = ["fs_inodes_free", "fs_inodes_total", "fs_limit_bytes"];
  expect([...ofContainers, ...disks, ...ABSENT].toSorted()).toEqual(UPSTREAM);
  expect([...names].filter((name) => !name.startsWith("container_"))).toEqual([
    "machine_cpu_cores",
    "machine_cpu_physical_cores",
    "machine_cpu_sockets",
    "machine_memory_bytes",
    "machine_swap_bytes",
    "cadvisor_version_info",
  ]);
});
