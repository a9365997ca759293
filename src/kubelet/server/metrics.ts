import { KUBELET_VERSION, NODE_CPUS, NODE_MEMORY_BYTES } from "../node-object.ts";
import { sendText } from "./answer.ts";
import type { KubeletHost } from "./kubelet-host.ts";
import type { Metric, Sample } from "./metric.ts";
import type { KubeletCall, KubeletRoute } from "./routes.ts";
import { sumOf, usageOf } from "./usage.ts";
import { volumeMetrics } from "./volume-metrics.ts";

const CONTENT_TYPE = { "content-type": "text/plain; version=0.0.4; charset=utf-8; escaping=underscores" };
const NANO = 1_000_000_000;

/** The four pages of metrics. */
export const metrics: readonly KubeletRoute[] = [
  page("/metrics", ownMetrics),
  page("/metrics/cadvisor", containerMetrics),
  page("/metrics/resource", resourceMetrics),
  page("/metrics/probes", async ({ startedAtMs }) => [startTime(startedAtMs)]),
];

function page(path: string, collect: (host: KubeletHost) => Promise<readonly Metric[]>): KubeletRoute {
  const serve = async ({ host, response }: KubeletCall): Promise<void> => {
    sendText(response, 200, (await collect(host)).map(textOf).join(""), CONTENT_TYPE);
  };
  return { path, methods: ["GET", "HEAD"], serve };
}

function textOf({ name, help, type, samples }: Metric): string {
  const lines = samples.map(({ labels = {}, value }) => {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`);
    return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function startTime(startedAtMs: number): Metric {
  const help = "[ALPHA] Start time of the process since unix epoch in seconds.";
  return { name: "process_start_time_seconds", help, type: "gauge", samples: [{ value: startedAtMs / 1000 }] };
}

async function ownMetrics(host: KubeletHost): Promise<readonly Metric[]> {
  const containers = await host.runtime.listContainers();
  const sandboxes = await host.runtime.listPodSandbox();
  const states = {
    CONTAINER_CREATED: "created",
    CONTAINER_RUNNING: "running",
    CONTAINER_EXITED: "exited",
    CONTAINER_UNKNOWN: "unknown",
  };
  const byState = Object.entries(states).map(([state, name]) => ({
    labels: { container_state: name },
    value: containers.filter((container) => container.state === state).length,
  }));
  const [, major = "", minor = ""] = /^v(\d+)\.(\d+)/.exec(KUBELET_VERSION) ?? [];
  return [
    {
      name: "kubelet_node_name",
      help: "[ALPHA] The node's name. The count is always 1.",
      type: "gauge",
      samples: [{ labels: { node: host.nodeName }, value: 1 }],
    },
    {
      name: "kubelet_running_containers",
      help: "[ALPHA] Number of containers currently running",
      type: "gauge",
      samples: byState,
    },
    {
      name: "kubelet_running_pods",
      help: "[ALPHA] Number of pods that have a running pod sandbox",
      type: "gauge",
      samples: [{ value: sandboxes.filter(({ state }) => state === "SANDBOX_READY").length }],
    },
    {
      name: "kubelet_desired_pods",
      help: "[ALPHA] The number of pods the kubelet is being instructed to run. static is true if the pod is not from the apiserver.",
      type: "gauge",
      samples: [{ labels: { static: "" }, value: host.pods().length }],
    },
    {
      name: "kubernetes_build_info",
      help: "[ALPHA] A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.",
      type: "gauge",
      samples: [{ labels: { git_version: KUBELET_VERSION, major, minor, platform: "linux/amd64" }, value: 1 }],
    },
    ...(await volumeMetrics(host)),
    startTime(host.startedAtMs),
  ];
}

async function containerMetrics(host: KubeletHost): Promise<readonly Metric[]> {
  const pods = await usageOf(host);
  const samples = (value: (usage: (typeof pods)[number]["containers"][number]) => number): readonly Sample[] =>
    pods.flatMap(({ name, namespace, containers }) =>
      containers.map((container) => ({ labels: { container: container.name, namespace, pod: name }, value: value(container) })),
    );
  return [
    {
      name: "container_cpu_usage_seconds_total",
      help: "Cumulative cpu time consumed in seconds.",
      type: "counter",
      samples: samples(({ cpuNanoSeconds }) => cpuNanoSeconds / NANO),
    },
    {
      name: "container_memory_working_set_bytes",
      help: "Current working set of the container in bytes",
      type: "gauge",
      samples: samples(({ memoryBytes }) => memoryBytes),
    },
    {
      name: "container_start_time_seconds",
      help: "Start time of the container since unix epoch in seconds.",
      type: "gauge",
      samples: samples(({ startedAtMs }) => startedAtMs / 1000),
    },
    { name: "machine_cpu_cores", help: "Number of logical CPU cores.", type: "gauge", samples: [{ value: NODE_CPUS }] },
    {
      name: "machine_memory_bytes",
      help: "Amount of memory installed on the machine.",
      type: "gauge",
      samples: [{ value: NODE_MEMORY_BYTES }],
    },
  ];
}

async function resourceMetrics(host: KubeletHost): Promise<readonly Metric[]> {
  const pods = await usageOf(host);
  const node = sumOf(pods);
  const ofContainers = (value: (container: (typeof pods)[number]["containers"][number]) => number): readonly Sample[] =>
    pods.flatMap(({ name, namespace, containers }) =>
      containers.map((container) => ({ labels: { container: container.name, namespace, pod: name }, value: value(container) })),
    );
  const ofPods = (value: (pod: (typeof pods)[number]) => number): readonly Sample[] =>
    pods.map((pod) => ({ labels: { namespace: pod.namespace, pod: pod.name }, value: value(pod) }));
  const cpu = "[STABLE] Cumulative cpu time consumed by the";
  const memory = "[STABLE] Current working set of the";
  return [
    {
      name: "container_cpu_usage_seconds_total",
      help: `${cpu} container in core-seconds`,
      type: "counter",
      samples: ofContainers(({ cpuNanoSeconds }) => cpuNanoSeconds / NANO),
    },
    {
      name: "container_memory_working_set_bytes",
      help: `${memory} container in bytes`,
      type: "gauge",
      samples: ofContainers(({ memoryBytes }) => memoryBytes),
    },
    {
      name: "container_start_time_seconds",
      help: "[STABLE] Start time of the container since unix epoch in seconds",
      type: "gauge",
      samples: ofContainers(({ startedAtMs }) => startedAtMs / 1000),
    },
    {
      name: "node_cpu_usage_seconds_total",
      help: `${cpu} node in core-seconds`,
      type: "counter",
      samples: [{ value: node.cpuNanoSeconds / NANO }],
    },
    {
      name: "node_memory_working_set_bytes",
      help: `${memory} node in bytes`,
      type: "gauge",
      samples: [{ value: node.memoryBytes }],
    },
    {
      name: "pod_cpu_usage_seconds_total",
      help: `${cpu} pod in core-seconds`,
      type: "counter",
      samples: ofPods(({ cpuNanoSeconds }) => cpuNanoSeconds / NANO),
    },
    {
      name: "pod_memory_working_set_bytes",
      help: `${memory} pod in bytes`,
      type: "gauge",
      samples: ofPods(({ memoryBytes }) => memoryBytes),
    },
    {
      name: "resource_scrape_error",
      help: "[STABLE] 1 if there was an error while getting container metrics, 0 otherwise",
      type: "gauge",
      samples: [{ value: 0 }],
    },
  ];
}
