import prometheus from "prom-client";
import { MetricFactory } from "./metric-factory.ts";

/** Seconds; Prometheus' own for durations. */
const DURATION_BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Seconds: 5 ms, thirteen times two and a half times as much. */
const OPERATION_BUCKETS: readonly number[] = Array.from({ length: 14 }, (_, i) => 0.005 * 2.5 ** i);
const PULL_BUCKETS: readonly number[] = [1, 5, 10, 20, 30, 60, 180, 300, 600, 900, 1200, 1800, 2700, 3600];
const POD_START_BUCKETS: readonly number[] = [
  0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600,
];
const STATUS_BUCKETS: readonly number[] = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 20, 30, 45, 60];
/** Of volumes' operations (upstream's `pkg/volume/util`). */
const STORAGE_BUCKETS: readonly number[] = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 25, 50, 120, 300, 600];
const CONTAINER_COUNT_BUCKETS: readonly number[] = [1, 2, 4, 8, 16];
const REQUEST_LABELS = ["method", "path", "server_type", "long_running"] as const;

/** What a kubelet counts while it works, by upstream's names and in its words (`pkg/kubelet/metrics`, `pkg/volume/util`). */
export class DeclaredMetrics {
  readonly registry: prometheus.Registry = new prometheus.Registry();
  readonly #alpha = new MetricFactory(this.registry);
  readonly #beta = new MetricFactory(this.registry, "BETA");

  readonly operations: prometheus.Counter = this.#alpha.counter(
    "kubelet_runtime_operations_total",
    "Cumulative number of runtime operations by operation type.",
    "operation_type",
  );
  readonly operationErrors: prometheus.Counter = this.#alpha.counter(
    "kubelet_runtime_operations_errors_total",
    "Cumulative number of runtime operation errors by operation type.",
    "operation_type",
  );
  readonly operationDuration: prometheus.Histogram = this.#alpha.histogram(
    "kubelet_runtime_operations_duration_seconds",
    "Duration in seconds of runtime operations. Broken down by operation type.",
    OPERATION_BUCKETS,
    "operation_type",
  );
  readonly sandboxDuration: prometheus.Histogram = this.#alpha.histogram(
    "kubelet_run_podsandbox_duration_seconds",
    "Duration in seconds of the run_podsandbox operations. Broken down by RuntimeClass.Handler.",
    DURATION_BUCKETS,
    "runtime_handler",
  );
  readonly sandboxErrors: prometheus.Counter = this.#alpha.counter(
    "kubelet_run_podsandbox_errors_total",
    "Cumulative number of the run_podsandbox operation errors by RuntimeClass.Handler.",
    "runtime_handler",
  );
  readonly pods: prometheus.Counter = this.#alpha.counter("kubelet_started_pods_total", "Cumulative number of pods started");
  readonly podErrors: prometheus.Counter = this.#alpha.counter(
    "kubelet_started_pods_errors_total",
    "Cumulative number of errors when starting pods",
  );
  readonly userPods: prometheus.Counter = this.#alpha.counter(
    "kubelet_started_user_namespaced_pods_total",
    "Cumulative number of pods with user namespaces started. This metric will only be collected on Linux.",
  );
  readonly userPodErrors: prometheus.Counter = this.#alpha.counter(
    "kubelet_started_user_namespaced_pods_errors_total",
    "Cumulative number of errors when starting pods with user namespaces. This metric will only be collected on Linux.",
  );
  readonly containers: prometheus.Counter = this.#alpha.counter(
    "kubelet_started_containers_total",
    "Cumulative number of containers started",
    "container_type",
  );
  readonly containerErrors: prometheus.Counter = this.#alpha.counter(
    "kubelet_started_containers_errors_total",
    "Cumulative number of errors when starting containers",
    "container_type",
    "code",
  );
  readonly relistDuration: prometheus.Histogram = this.#alpha.histogram(
    "kubelet_pleg_relist_duration_seconds",
    "Duration in seconds for relisting pods in PLEG.",
    DURATION_BUCKETS,
  );
  readonly relistInterval: prometheus.Histogram = this.#alpha.histogram(
    "kubelet_pleg_relist_interval_seconds",
    "Interval in seconds between relisting in PLEG.",
    DURATION_BUCKETS,
  );
  readonly lastSeen: prometheus.Gauge = this.#alpha.gauge(
    "kubelet_pleg_last_seen_seconds",
    "Timestamp in seconds when PLEG was last seen active.",
  );
  readonly podStart: prometheus.Histogram = this.#alpha.histogram(
    "kubelet_pod_start_duration_seconds",
    "Duration in seconds from kubelet seeing a pod for the first time to the pod starting to run",
    POD_START_BUCKETS,
  );
  readonly podStartSli: prometheus.Histogram = this.#alpha.histogram(
    "kubelet_pod_start_sli_duration_seconds",
    "Duration in seconds to start a pod, excluding time to pull images and run init containers, measured from pod creation timestamp to when all its containers are reported as started and observed via watch",
    POD_START_BUCKETS,
  );
  readonly podStartTotal: prometheus.Histogram = this.#alpha.histogram(
    "kubelet_pod_start_total_duration_seconds",
    "Duration in seconds to start a pod since creation, including time to pull images and run init containers, measured from pod creation timestamp to when all its containers are reported as started and observed via watch",
    POD_START_BUCKETS,
  );
  readonly workerDuration: prometheus.Histogram = this.#alpha.histogram(
    "kubelet_pod_worker_duration_seconds",
    "Duration in seconds to sync a single pod. Broken down by operation type: create, update, or sync",
    DURATION_BUCKETS,
    "operation_type",
  );
  readonly workerStart: prometheus.Histogram = this.#alpha.histogram(
    "kubelet_pod_worker_start_duration_seconds",
    "Duration in seconds from kubelet seeing a pod to starting a worker.",
    DURATION_BUCKETS,
  );
  readonly statusSync: prometheus.Histogram = this.#alpha.histogram(
    "kubelet_pod_status_sync_duration_seconds",
    "Duration in seconds to sync a pod status update. Measures time from detection of a change to pod status until the API is successfully updated for that pod, even if multiple intevening changes to pod status occur.",
    STATUS_BUCKETS,
  );
  readonly containersPerPod: prometheus.Histogram = this.#alpha.histogram(
    "kubelet_containers_per_pod_count",
    "The number of containers per pod.",
    CONTAINER_COUNT_BUCKETS,
  );
  readonly restartedPods: prometheus.Counter = this.#alpha.counter(
    "kubelet_restarted_pods_total",
    "Number of pods that have been restarted because they were deleted and recreated with the same UID while the kubelet was watching them (common for static pods, extremely uncommon for API pods)",
    "static",
  );
  readonly orphanedPods: prometheus.Counter = this.#alpha.counter(
    "kubelet_orphaned_runtime_pods_total",
    "Number of pods that have been detected in the container runtime without being already known to the pod worker. This typically indicates the kubelet was restarted while a pod was force deleted in the API or in the local configuration, which is unusual.",
  );
  readonly cleanedVolumes: prometheus.Gauge = this.#alpha.gauge(
    "kubelet_orphan_pod_cleaned_volumes",
    "The total number of orphaned Pods whose volumes were cleaned in the last periodic sweep.",
  );
  readonly cleanedVolumeErrors: prometheus.Gauge = this.#alpha.gauge(
    "kubelet_orphan_pod_cleaned_volumes_errors",
    "The number of orphaned Pods whose volumes failed to be cleaned in the last periodic sweep.",
  );
  readonly rejections: prometheus.Counter = this.#alpha.counter(
    "kubelet_admission_rejections_total",
    "Cumulative number pod admission rejections by the Kubelet.",
    "reason",
  );
  readonly preemptions: prometheus.Counter = this.#alpha.counter(
    "kubelet_preemptions",
    "Cumulative number of pod preemptions by preemption resource",
    "preemption_signal",
  );
  readonly evictions: prometheus.Counter = this.#alpha.counter(
    "kubelet_evictions",
    "Cumulative number of pod evictions by eviction signal",
    "eviction_signal",
  );
  readonly statsAge: prometheus.Histogram = this.#alpha.histogram(
    "kubelet_eviction_stats_age_seconds",
    "Time between when stats are collected, and when pod is evicted based on those stats by eviction signal",
    DURATION_BUCKETS,
    "eviction_signal",
  );
  readonly cgroupDuration: prometheus.Histogram = this.#alpha.histogram(
    "kubelet_cgroup_manager_duration_seconds",
    "Duration in seconds for cgroup manager operations. Broken down by method.",
    DURATION_BUCKETS,
    "operation_type",
  );
  readonly cgroupVersion: prometheus.Gauge = this.#alpha.gauge("kubelet_cgroup_version", "cgroup version on the hosts.");
  readonly pullDuration: prometheus.Histogram = this.#alpha.histogram(
    "kubelet_image_pull_duration_seconds",
    "Duration in seconds to pull an image.",
    PULL_BUCKETS,
    "image_size_in_bytes",
  );
  readonly ensuredImages: prometheus.Counter = this.#alpha.counter(
    "kubelet_image_manager_ensure_image_requests_total",
    "Number of ensure-image requests processed by the kubelet.",
    "present_locally",
    "pull_policy",
    "pull_required",
  );
  readonly imagesCollected: prometheus.Counter = this.#alpha.counter(
    "kubelet_image_garbage_collected_total",
    "Total number of images garbage collected by the kubelet, whether through disk usage or image age.",
    "reason",
  );
  readonly imageVolumes: prometheus.Counter = this.#beta.counter(
    "kubelet_image_volume_requested_total",
    "Number of requested image volumes.",
  );
  readonly imageVolumesMounted: prometheus.Counter = this.#beta.counter(
    "kubelet_image_volume_mounted_succeed_total",
    "Number of successful image volume mounts.",
  );
  readonly imageVolumeErrors: prometheus.Counter = this.#beta.counter(
    "kubelet_image_volume_mounted_errors_total",
    "Number of failed image volume mounts.",
  );
  readonly requests: prometheus.Counter = this.#alpha.counter(
    "kubelet_http_requests_total",
    "Number of the http requests received since the server started",
    ...REQUEST_LABELS,
  );
  readonly requestDuration: prometheus.Histogram = this.#alpha.histogram(
    "kubelet_http_requests_duration_seconds",
    "Duration in seconds to serve http requests",
    DURATION_BUCKETS,
    ...REQUEST_LABELS,
  );
  readonly inflight: prometheus.Gauge = this.#alpha.gauge(
    "kubelet_http_inflight_requests",
    "Number of the inflight http requests",
    ...REQUEST_LABELS,
  );
  readonly shutdownStart: prometheus.Gauge = this.#alpha.gauge(
    "kubelet_graceful_shutdown_start_time_seconds",
    "Last graceful shutdown start time since unix epoch in seconds",
  );
  readonly shutdownEnd: prometheus.Gauge = this.#alpha.gauge(
    "kubelet_graceful_shutdown_end_time_seconds",
    "Last graceful shutdown end time since unix epoch in seconds",
  );
  readonly storageDuration: prometheus.Histogram = this.#alpha.histogram(
    "storage_operation_duration_seconds",
    "Storage operation duration",
    STORAGE_BUCKETS,
    "volume_plugin",
    "operation_name",
    "status",
    "migrated",
  );
}
