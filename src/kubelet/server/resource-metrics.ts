import type { SwapUsage } from "#cri/stats.ts";
import type { KubeletHost } from "./kubelet-host.ts";
import type { Metric, Sample } from "./metric.ts";
import { type ContainerUsage, type PodUsage, sumOf, usageOf } from "./usage.ts";

const NANO = 1_000_000_000;
const CPU = "[STABLE] Cumulative cpu time consumed by the";
const SWAP = "[ALPHA] Current swap usage of the";
const MEMORY = "[STABLE] Current working set of the";

/** `/metrics/resource`: processors and memory, as metrics-server reads them. */
export async function resourceMetrics(host: KubeletHost): Promise<readonly Metric[]> {
  const [pods, stats] = await Promise.all([usageOf(host), host.nodeStats?.()]);
  const sum = sumOf(pods);
  const nodeCpu = stats?.cpuNanoSeconds ?? sum.cpuNanoSeconds;
  const nodeMemory = stats?.memory.workingSetBytes ?? sum.memoryBytes;
  const ofContainers = (value: (container: ContainerUsage) => number): readonly Sample[] =>
    pods.flatMap(({ name, namespace, containers }) =>
      containers.map((container) => ({ labels: { container: container.name, namespace, pod: name }, value: value(container) })),
    );
  const ofPods = (value: (pod: PodUsage) => number): readonly Sample[] =>
    pods.map((pod) => ({ labels: { namespace: pod.namespace, pod: pod.name }, value: value(pod) }));
  const swapOfNode = stats === undefined ? [] : [{ value: stats.swap.usageBytes }];
  // Where the runtime does not tell, nothing is said.
  const swapOfContainers = (amount: (swap: SwapUsage) => number | undefined): readonly Sample[] =>
    pods.flatMap(({ name, namespace, containers }) =>
      containers.flatMap(({ name: container, swap }) => {
        const value = swap && amount(swap);
        return value === undefined ? [] : [{ labels: { container, namespace, pod: name }, value }];
      }),
    );
  const swapOfPods = pods.flatMap(({ name, namespace, containers }) =>
    containers.some(({ swap }) => swap?.swapUsageBytes !== undefined)
      ? [{ labels: { namespace, pod: name }, value: containers.reduce((sum, { swap }) => sum + (swap?.swapUsageBytes ?? 0), 0) }]
      : [],
  );
  const seconds = ({ cpuNanoSeconds }: { readonly cpuNanoSeconds: number }): number => cpuNanoSeconds / NANO;
  const bytes = ({ memoryBytes }: { readonly memoryBytes: number }): number => memoryBytes;
  const start = "[STABLE] Start time of the container since unix epoch in seconds";
  const failed = "[STABLE] 1 if there was an error while getting container metrics, 0 otherwise";
  return [
    counter("container_cpu_usage_seconds_total", `${CPU} container in core-seconds`, ofContainers(seconds)),
    gauge("container_memory_working_set_bytes", `${MEMORY} container in bytes`, ofContainers(bytes)),
    gauge(
      "container_start_time_seconds",
      start,
      ofContainers(({ startedAtMs }) => startedAtMs / 1000),
    ),
    counter("node_cpu_usage_seconds_total", `${CPU} node in core-seconds`, [{ value: nodeCpu / NANO }]),
    gauge("node_memory_working_set_bytes", `${MEMORY} node in bytes`, [{ value: nodeMemory }]),
    gauge("node_swap_usage_bytes", `${SWAP} node in bytes. Reported only on non-windows systems`, swapOfNode),
    gauge(
      "container_swap_usage_bytes",
      "[ALPHA] Current amount of the container swap usage in bytes. Reported only on non-windows systems",
      swapOfContainers(({ swapUsageBytes }) => swapUsageBytes),
    ),
    gauge(
      "container_swap_limit_bytes",
      "[ALPHA] Current amount of the container swap limit in bytes. Reported only on non-windows systems",
      swapOfContainers(({ swapUsageBytes = 0, swapAvailableBytes }) =>
        swapAvailableBytes === undefined ? undefined : swapUsageBytes + swapAvailableBytes,
      ),
    ),
    gauge(
      "pod_swap_usage_bytes",
      "[ALPHA] Current amount of the pod swap usage in bytes. Reported only on non-windows systems",
      swapOfPods,
    ),
    counter("pod_cpu_usage_seconds_total", `${CPU} pod in core-seconds`, ofPods(seconds)),
    gauge("pod_memory_working_set_bytes", `${MEMORY} pod in bytes`, ofPods(bytes)),
    gauge("resource_scrape_error", failed, [{ value: 0 }]),
  ].filter(({ samples }) => samples.length > 0);
}

function counter(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, help, type: "counter", samples };
}

function gauge(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, help, type: "gauge", samples };
}
