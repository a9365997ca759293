import { NODE_CPUS, NODE_MEMORY_BYTES } from "../node-object.ts";
import { cgroupMetrics } from "./cgroup-metrics.ts";
import type { KubeletHost } from "./kubelet-host.ts";
import type { Metric, Sample } from "./metric.ts";
import { type ContainerUsage, type PodUsage, usageOf } from "./usage.ts";

const NANO = 1_000_000_000;

type Amount<T> = readonly [name: string, help: string, type: Metric["type"], value: (of: T) => number | undefined];

/** What is told of each container, in cAdvisor's names and words. */
const OF_CONTAINERS: readonly Amount<ContainerUsage>[] = [
  [
    "cpu_usage_seconds_total",
    "Cumulative cpu time consumed in seconds.",
    "counter",
    ({ cpuNanoSeconds }) => cpuNanoSeconds / NANO,
  ],
  [
    "memory_usage_bytes",
    "Current memory usage in bytes, including all memory regardless of when it was accessed",
    "gauge",
    ({ memoryUsageBytes }) => memoryUsageBytes,
  ],
  ["memory_working_set_bytes", "Current working set of the container in bytes.", "gauge", ({ memoryBytes }) => memoryBytes],
  ["memory_rss", "Size of RSS in bytes.", "gauge", ({ rssBytes }) => rssBytes],
  ["memory_swap", "Container swap usage in bytes.", "gauge", ({ swap }) => swap?.swapUsageBytes],
  [
    "fs_usage_bytes",
    "Number of bytes that are consumed by the container on this filesystem.",
    "gauge",
    ({ writableLayer }) => writableLayer?.usedBytes,
  ],
  [
    "start_time_seconds",
    "Start time of the container since unix epoch in seconds.",
    "gauge",
    ({ startedAtMs }) => startedAtMs / 1000,
  ],
];

type Interface = NonNullable<NonNullable<PodUsage["network"]>["defaultInterface"]>;

/** And of each pod's network interface. */
const OF_INTERFACES: readonly Amount<Interface>[] = [
  ["network_receive_bytes_total", "Cumulative count of bytes received", "counter", ({ rxBytes }) => rxBytes],
  [
    "network_receive_errors_total",
    "Cumulative count of errors encountered while receiving",
    "counter",
    ({ rxErrors }) => rxErrors,
  ],
  ["network_transmit_bytes_total", "Cumulative count of bytes transmitted", "counter", ({ txBytes }) => txBytes],
  [
    "network_transmit_errors_total",
    "Cumulative count of errors encountered while transmitting",
    "counter",
    ({ txErrors }) => txErrors,
  ],
];

/** `/metrics/cadvisor`: containers, pods' networks and the machine; by cgroups where there are some, else by what the runtime tells. */
export async function containerMetrics(host: KubeletHost): Promise<readonly Metric[]> {
  const byCgroups = host.cadvisor === undefined ? undefined : await cgroupMetrics(host, host.cadvisor);
  return byCgroups ?? runtimeMetrics(host);
}

async function runtimeMetrics(host: KubeletHost): Promise<readonly Metric[]> {
  const [pods, stats] = await Promise.all([usageOf(host), host.nodeStats?.()]);
  const machine: readonly Metric[] = [
    gauge("machine_cpu_cores", "Number of logical CPU cores.", stats?.cpus ?? NODE_CPUS),
    gauge("machine_memory_bytes", "Amount of memory installed on the machine.", stats?.memory.capacityBytes ?? NODE_MEMORY_BYTES),
  ];
  const root: Readonly<Record<string, number>> =
    stats === undefined
      ? {}
      : {
          cpu_usage_seconds_total: stats.cpuNanoSeconds / NANO,
          memory_usage_bytes: stats.memory.usageBytes,
          memory_working_set_bytes: stats.memory.workingSetBytes,
          memory_rss: stats.memory.rssBytes,
        };
  const containers = OF_CONTAINERS.map(([name, help, type, value]) => {
    const whole = root[name];
    const samples = [
      ...(whole === undefined
        ? []
        : [{ labels: labels(name, { container: "", id: "/", image: "", name: "" }, "", ""), value: whole }]),
      ...pods.flatMap((pod) => pod.containers.flatMap((one) => sampleOf(name, pod, one, value(one)))),
    ];
    return { name: `container_${name}`, help, type, samples };
  });
  const networks = OF_INTERFACES.map(([name, help, type, value]) => {
    const samples = pods.flatMap((pod) => interfacesOf(pod).flatMap((one) => interfaceSample(pod, one, value(one))));
    return { name: `container_${name}`, help, type, samples };
  });
  return [...[...containers, ...networks].filter(({ samples }) => samples.length > 0), ...machine];
}

function sampleOf(
  metric: string,
  pod: PodUsage,
  { name, id, image }: ContainerUsage,
  value: number | undefined,
): readonly Sample[] {
  if (value === undefined) return [];
  const own = { container: name, id: `/${pod.uid}/${id}`, image, name: id };
  return [{ labels: labels(metric, own, pod.namespace, pod.name), value }];
}

function labels(
  metric: string,
  own: { readonly container: string; readonly id: string; readonly image: string; readonly name: string },
  namespace: string,
  pod: string,
): Readonly<Record<string, string>> {
  const { container, ...rest } = own;
  return { container, ...(metric.startsWith("cpu_") ? { cpu: "total" } : {}), ...rest, namespace, pod };
}

function interfacesOf({ network }: PodUsage): readonly Interface[] {
  if (network === undefined) return [];
  if (network.interfaces.length > 0) return network.interfaces;
  return network.defaultInterface === undefined ? [] : [network.defaultInterface];
}

function interfaceSample({ namespace, name, uid }: PodUsage, of: Interface, value: number | undefined): readonly Sample[] {
  if (value === undefined) return [];
  return [{ labels: { container: "", id: `/${uid}`, image: "", interface: of.name, name: "", namespace, pod: name }, value }];
}

function gauge(name: string, help: string, value: number): Metric {
  return { name, help, type: "gauge", samples: [{ value }] };
}
