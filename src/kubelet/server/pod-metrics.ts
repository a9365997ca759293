import type { Pod } from "#api/generated/core/v1.ts";
import { isPodTerminal } from "#component-helpers/pod/pod-conditions.ts";
import { isStaticPod } from "../config/static-pod.ts";
import type { Metric, Sample } from "./metric.ts";

/** How far pods are that the kubelet has, whose they are, and which of them wait for other resources. */
export function podMetrics(pods: readonly Pod[]): readonly Metric[] {
  const active = pods.filter((pod) => !isPodTerminal(pod));
  const ephemeral = pods.reduce((sum, { spec }) => sum + (spec.ephemeralContainers?.length ?? 0), 0);
  return [
    gauge(
      "desired_pods",
      "The number of pods the kubelet is being instructed to run. static is true if the pod is not from the apiserver.",
      bySource(pods),
    ),
    gauge(
      "active_pods",
      "The number of pods the kubelet considers active and which are being considered when admitting new pods. static is true if the pod is not from the apiserver.",
      bySource(active),
    ),
    gauge("mirror_pods", "The number of mirror pods the kubelet will try to create (one per admitted static pod)", [
      { value: pods.filter(isStaticPod).length },
    ]),
    gauge(
      "working_pods",
      "Number of pods the kubelet is actually running, broken down by lifecycle phase, whether the pod is desired, orphaned, or runtime only (also orphaned), and whether the pod is static. An orphaned pod has been removed from local configuration or force deleted in the API and consumes resources that are not otherwise visible.",
      (["sync", "terminating", "terminated"] as const).flatMap((lifecycle) =>
        bySource(pods.filter((pod) => lifecycleOf(pod) === lifecycle)).map(({ labels, value }) => ({
          labels: { config: "desired", lifecycle, ...labels },
          value,
        })),
      ),
    ),
    gauge("managed_ephemeral_containers", "Current number of ephemeral containers in pods managed by this kubelet.", [
      { value: ephemeral },
    ]),
    gauge(
      "pod_pending_resizes",
      "Number of pending resizes for pods.",
      ["Deferred", "Infeasible"].map((reason) => ({
        labels: { reason: reason.toLowerCase() },
        value: countOf(active, "PodResizePending", reason),
      })),
    ),
    gauge("pod_in_progress_resizes", "Number of in-progress resizes for pods.", [
      { value: countOf(active, "PodResizeInProgress") },
    ]),
  ];
}

/** A kubelet tells that a pod has ended when nothing of it runs any more. */
function lifecycleOf(pod: Pod): "sync" | "terminating" | "terminated" {
  if (isPodTerminal(pod)) return "terminated";
  return pod.metadata.deletionTimestamp === undefined ? "sync" : "terminating";
}

function bySource(pods: readonly Pod[]): readonly Sample[] {
  const count = pods.filter(isStaticPod).length;
  return [
    { labels: { static: "" }, value: pods.length - count },
    { labels: { static: "true" }, value: count },
  ];
}

function countOf(pods: readonly Pod[], type: string, reason?: string): number {
  const has = ({ status }: Pod): boolean =>
    status?.conditions?.some(
      (one) => one.type === type && one.status === "True" && (reason === undefined || one.reason === reason),
    ) ?? false;
  return pods.filter(has).length;
}

function gauge(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name: `kubelet_${name}`, help: `[ALPHA] ${help}`, type: "gauge", samples };
}
