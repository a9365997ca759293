import { KUBELET_VERSION } from "../node-object.ts";
import { sendText } from "./answer.ts";
import { certificateMetrics } from "./certificate-metrics.ts";
import { containerMetrics } from "./container-metrics.ts";
import type { KubeletHost } from "./kubelet-host.ts";
import type { Metric } from "./metric.ts";
import { podMetrics } from "./pod-metrics.ts";
import { resourceMetrics } from "./resource-metrics.ts";
import type { KubeletCall, KubeletRoute } from "./routes.ts";
import { volumeMetrics } from "./volume-metrics.ts";

const CONTENT_TYPE = { "content-type": "text/plain; version=0.0.4; charset=utf-8; escaping=underscores" };

/** The pages of metrics. */
export const metrics: readonly KubeletRoute[] = [
  page("/metrics", ownMetrics),
  page("/metrics/cadvisor", containerMetrics),
  page("/metrics/resource", resourceMetrics),
  page("/metrics/slis", async () => []),
  page("/metrics/probes", async ({ startedAtMs }) => [startTime(startedAtMs)]),
];

function page(path: string, collect: (host: KubeletHost) => Promise<readonly Metric[]>): KubeletRoute {
  const serve = async ({ host, response }: KubeletCall): Promise<void> => {
    const collected = (await collect(host)).map(textOf).join("");
    sendText(response, 200, collected + (await countedOf(host, path)), CONTENT_TYPE);
  };
  return { path, methods: ["GET", "HEAD"], serve };
}

async function countedOf({ metrics, processMetrics }: KubeletHost, path: string): Promise<string> {
  if (path === "/metrics/slis") return metrics?.slis.text() ?? "";
  if (path === "/metrics/probes") return (await metrics?.probes.text()) ?? "";
  return path === "/metrics" ? `${(await metrics?.text()) ?? ""}${processMetrics?.() ?? ""}` : "";
}

function textOf({ name, help, type, samples }: Metric): string {
  const lines = samples.map(({ labels = {}, value }) => {
    const pairs = Object.entries(labels).map(
      ([key, text]) => `${key}="${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`,
    );
    return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value === Number.POSITIVE_INFINITY ? "+Inf" : value}\n`;
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
    ...podMetrics(host.pods()),
    ...certificateMetrics(host.certificates ?? {}, host.now?.() ?? 0),
    ...(await logMetrics(host)),
    {
      name: "kubelet_metrics_provider",
      help: "[ALPHA] Metrics provider used by kubelet to collect container stats. Values can be 'cadvisor' and 'cri'",
      type: "gauge",
      samples: [{ labels: { provider: "cri" }, value: 1 }],
    },
    ...(await volumeMetrics(host)),
    // A process tells this of itself where it tells of itself.
    ...(host.processMetrics === undefined ? [buildInfo(), startTime(host.startedAtMs)] : []),
  ];
}

/** How long the newest log of each container is. */
async function logMetrics({ runtime, logBytes }: KubeletHost): Promise<readonly Metric[]> {
  if (logBytes === undefined) return [];
  const [sandboxes, containers] = await Promise.all([runtime.listPodSandbox(), runtime.containerStatuses()]);
  const pods = new Map(sandboxes.map(({ id, metadata }) => [id, metadata]));
  const samples = containers.map(async ({ sandboxId, metadata, logPath }) => {
    const { name: pod = "", namespace = "", uid = "" } = pods.get(sandboxId) ?? {};
    return { labels: { uid, namespace, pod, container: metadata.name }, value: await logBytes(logPath) };
  });
  const help = "[ALPHA] Bytes used by the container's logs on the filesystem.";
  return [{ name: "kubelet_container_log_filesystem_used_bytes", help, type: "gauge", samples: await Promise.all(samples) }];
}

function buildInfo(): Metric {
  const [, major = "", minor = ""] = /^v(\d+)\.(\d+)/.exec(KUBELET_VERSION) ?? [];
  return {
    name: "kubernetes_build_info",
    help: "[ALPHA] A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.",
    type: "gauge",
    samples: [{ labels: { git_version: KUBELET_VERSION, major, minor, platform: "linux/amd64" }, value: 1 }],
  };
}
