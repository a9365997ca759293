import type { Pod } from "#api/generated/core/v1.ts";
import { isPodTerminal } from "#component-helpers/pod/pod-conditions.ts";
import { isStaticPod } from "../config/static-pod.ts";
import { KUBELET_VERSION } from "../node-object.ts";
import { sendText } from "./answer.ts";
import { containerMetrics } from "./container-metrics.ts";
import type { KubeletHost } from "./kubelet-host.ts";
import type { Metric } from "./metric.ts";
import { resourceMetrics } from "./resource-metrics.ts";
import type { KubeletCall, KubeletRoute } from "./routes.ts";
import { volumeMetrics } from "./volume-metrics.ts";

const CONTENT_TYPE = { "content-type": "text/plain; version=0.0.4; charset=utf-8; escaping=underscores" };

/** The four pages of metrics. */
export const metrics: readonly KubeletRoute[] = [
  page("/metrics", ownMetrics),
  page("/metrics/cadvisor", containerMetrics),
  page("/metrics/resource", resourceMetrics),
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
  if (path === "/metrics/probes") return (await metrics?.probes.text()) ?? "";
  return path === "/metrics" ? `${(await metrics?.text()) ?? ""}${processMetrics?.() ?? ""}` : "";
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
    ...podCounts(host.pods()),
    ...(await volumeMetrics(host)),
    // A process tells this of itself where it tells of itself.
    ...(host.processMetrics === undefined ? [buildInfo(), startTime(host.startedAtMs)] : []),
  ];
}

/** Whose pods the kubelet is told to run, and which of them are to be made known to the API. */
function podCounts(pods: readonly Pod[]): readonly Metric[] {
  const fromFiles = (all: readonly Pod[]): Metric["samples"] => {
    const count = all.filter(isStaticPod).length;
    return [
      { labels: { static: "" }, value: all.length - count },
      { labels: { static: "true" }, value: count },
    ];
  };
  const active = pods.filter((pod) => !isPodTerminal(pod));
  const ephemeral = pods.reduce((sum, { spec }) => sum + (spec.ephemeralContainers?.length ?? 0), 0);
  return [
    {
      name: "kubelet_desired_pods",
      help: "[ALPHA] The number of pods the kubelet is being instructed to run. static is true if the pod is not from the apiserver.",
      type: "gauge",
      samples: fromFiles(pods),
    },
    {
      name: "kubelet_active_pods",
      help: "[ALPHA] The number of pods the kubelet considers active and which are being considered when admitting new pods. static is true if the pod is not from the apiserver.",
      type: "gauge",
      samples: fromFiles(active),
    },
    {
      name: "kubelet_mirror_pods",
      help: "[ALPHA] The number of mirror pods the kubelet will try to create (one per admitted static pod)",
      type: "gauge",
      samples: [{ value: pods.filter(isStaticPod).length }],
    },
    {
      name: "kubelet_managed_ephemeral_containers",
      help: "[ALPHA] Current number of ephemeral containers in pods managed by this kubelet.",
      type: "gauge",
      samples: [{ value: ephemeral }],
    },
  ];
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
