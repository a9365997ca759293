import prometheus from "prom-client";
import { ProbeMetrics } from "./probe-metrics.ts";

const PREFIX = "kubelet_";
const MB = 1024 * 1024;
const GB = 1024 * MB;
/** Seconds; Prometheus' own for durations. */
const DURATION_BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Seconds: 5 ms, thirteen times two and a half times as much. */
const OPERATION_BUCKETS: readonly number[] = Array.from({ length: 14 }, (_, i) => 0.005 * 2.5 ** i);
const PULL_BUCKETS: readonly number[] = [1, 5, 10, 20, 30, 60, 180, 300, 600, 900, 1200, 1800, 2700, 3600];
/** What is said of an image's size, from which size on. */
const IMAGE_SIZES: readonly (readonly [number, string])[] = [
  [100 * GB, "GT100GB"],
  [60 * GB, "60GB-100GB"],
  [40 * GB, "40GB-60GB"],
  [30 * GB, "30GB-40GB"],
  [20 * GB, "20GB-30GB"],
  [10 * GB, "10GB-20GB"],
  [5 * GB, "5GB-10GB"],
  [GB, "1GB-5GB"],
  [500 * MB, "500MB-1GB"],
  [100 * MB, "100MB-500MB"],
  [10 * MB, "10MB-100MB"],
  [0, "0-10MB"],
];
/** The paths that requests are counted by. */
const PATHS: ReadonlySet<string> = new Set([
  "attach",
  "checkpoint",
  "configz",
  "containerLogs",
  "debug",
  "exec",
  "healthz",
  "logs",
  "metrics",
  "pods",
  "portForward",
  "run",
  "runningpods",
  "stats",
]);
const METHODS: ReadonlySet<string> = new Set(["OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "CONNECT"]);
/** Upstream's `longRunningRequestPathMap`, in which port-forward is spelt as no path is. */
const LONG_RUNNING: ReadonlySet<string> = new Set(["exec", "attach", "portforward", "debug"]);

/** What a container is to its pod. */
export type ContainerKind = "container" | "init_container" | "ephemeral_container";

/** What a kubelet counts, by upstream's names (`pkg/kubelet/metrics`). Durations are in seconds. */
export class KubeletMetrics {
  /** On a page of its own. */
  readonly probes: ProbeMetrics = new ProbeMetrics();
  readonly #registry = new prometheus.Registry();
  readonly #operations = this.#counter("runtime_operations_total", "Cumulative number of runtime operations by operation type.", [
    "operation_type",
  ]);
  readonly #operationErrors = this.#counter(
    "runtime_operations_errors_total",
    "Cumulative number of runtime operation errors by operation type.",
    ["operation_type"],
  );
  readonly #operationDuration = this.#histogram(
    "runtime_operations_duration_seconds",
    "Duration in seconds of runtime operations. Broken down by operation type.",
    OPERATION_BUCKETS,
    ["operation_type"],
  );
  readonly #sandboxDuration = this.#histogram(
    "run_podsandbox_duration_seconds",
    "Duration in seconds of the run_podsandbox operations. Broken down by RuntimeClass.Handler.",
    DURATION_BUCKETS,
    ["runtime_handler"],
  );
  readonly #sandboxErrors = this.#counter(
    "run_podsandbox_errors_total",
    "Cumulative number of the run_podsandbox operation errors by RuntimeClass.Handler.",
    ["runtime_handler"],
  );
  readonly #pods = this.#counter("started_pods_total", "Cumulative number of pods started");
  readonly #podErrors = this.#counter("started_pods_errors_total", "Cumulative number of errors when starting pods");
  readonly #containers = this.#counter("started_containers_total", "Cumulative number of containers started", ["container_type"]);
  readonly #containerErrors = this.#counter(
    "started_containers_errors_total",
    "Cumulative number of errors when starting containers",
    ["container_type", "code"],
  );
  readonly #relistDuration = this.#histogram(
    "pleg_relist_duration_seconds",
    "Duration in seconds for relisting pods in PLEG.",
    DURATION_BUCKETS,
  );
  readonly #relistInterval = this.#histogram(
    "pleg_relist_interval_seconds",
    "Interval in seconds between relisting in PLEG.",
    DURATION_BUCKETS,
  );
  readonly #lastSeen = this.#gauge("pleg_last_seen_seconds", "Timestamp in seconds when PLEG was last seen active.");
  readonly #evictions = this.#counter("evictions", "Cumulative number of pod evictions by eviction signal", ["eviction_signal"]);
  readonly #statsAge = this.#histogram(
    "eviction_stats_age_seconds",
    "Time between when stats are collected, and when pod is evicted based on those stats by eviction signal",
    DURATION_BUCKETS,
    ["eviction_signal"],
  );
  readonly #pullDuration = this.#histogram("image_pull_duration_seconds", "Duration in seconds to pull an image.", PULL_BUCKETS, [
    "image_size_in_bytes",
  ]);
  readonly #imagesCollected = this.#counter(
    "image_garbage_collected_total",
    "Total number of images garbage collected by the kubelet, whether through disk usage or image age.",
    ["reason"],
  );
  readonly #requests = this.#counter("http_requests_total", "Number of the http requests received since the server started", [
    "method",
    "path",
    "server_type",
    "long_running",
  ]);
  readonly #requestDuration = this.#histogram(
    "http_requests_duration_seconds",
    "Duration in seconds to serve http requests",
    DURATION_BUCKETS,
    ["method", "path", "server_type", "long_running"],
  );
  readonly #inflight = this.#gauge("http_inflight_requests", "Number of the inflight http requests", [
    "method",
    "path",
    "server_type",
    "long_running",
  ]);

  /** A call of the runtime has been answered. */
  operation(type: string, seconds: number, failed: boolean): void {
    this.#operations.inc({ operation_type: type });
    this.#operationDuration.observe({ operation_type: type }, seconds);
    if (failed) this.#operationErrors.inc({ operation_type: type });
  }

  /** A sandbox runs, or could not be made. */
  sandbox(handler: string, seconds: number, failed: boolean): void {
    this.#sandboxDuration.observe({ runtime_handler: handler }, seconds);
    this.#pods.inc();
    if (!failed) return;
    this.#sandboxErrors.inc({ runtime_handler: handler });
    this.#podErrors.inc();
  }

  /** It is tried to start a container. */
  startingContainer(kind: ContainerKind): void {
    this.#containers.inc({ container_type: kind });
  }

  /** It could not be started; `reason` as its status says it. */
  containerFailed(kind: ContainerKind, reason: string): void {
    this.#containerErrors.inc({ container_type: kind, code: reason });
  }

  /** The runtime's sandboxes and containers were listed, so long after the time before. `atMs` since the epoch. */
  relisted(atMs: number, seconds: number, intervalSeconds: number | undefined): void {
    this.#lastSeen.set(Math.floor(atMs / 1000));
    this.#relistDuration.observe(seconds);
    if (intervalSeconds !== undefined) this.#relistInterval.observe(intervalSeconds);
  }

  evicted(signal: string): void {
    this.#evictions.inc({ eviction_signal: signal });
  }

  /** A pod is to be evicted for what was measured so long ago. */
  evicting(signal: string, ageSeconds: number): void {
    this.#statsAge.observe({ eviction_signal: signal }, ageSeconds);
  }

  /** An image was pulled; its size is 0 where it is not known. */
  pulled(sizeBytes: number, seconds: number): void {
    this.#pullDuration.observe({ image_size_in_bytes: imageSize(sizeBytes) }, seconds);
  }

  /** An image was removed because the disk was full, or it had not been used for long. */
  imageCollected(reason: "space" | "age"): void {
    this.#imagesCollected.inc({ reason });
  }

  /** A request begins; what is given is called with its duration when it has been answered. */
  request(method: string, path: string, server: "readwrite" | "readonly"): (seconds: number) => void {
    const [, root = ""] = path.split("/");
    const bucket = PATHS.has(root) ? root : "other";
    const labels = {
      method: METHODS.has(method) ? method : "other",
      path: bucket,
      server_type: server,
      long_running: String(LONG_RUNNING.has(bucket)),
    };
    this.#requests.inc(labels);
    this.#inflight.inc(labels);
    return (seconds) => {
      this.#inflight.dec(labels);
      this.#requestDuration.observe(labels, seconds);
    };
  }

  /** All of it, in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #counter(name: string, help: string, labelNames: readonly string[] = []): prometheus.Counter {
    return new prometheus.Counter({ ...this.#common(name, help), labelNames });
  }

  #gauge(name: string, help: string, labelNames: readonly string[] = []): prometheus.Gauge {
    return new prometheus.Gauge({ ...this.#common(name, help), labelNames });
  }

  #histogram(name: string, help: string, buckets: readonly number[], labelNames: readonly string[] = []): prometheus.Histogram {
    return new prometheus.Histogram({ ...this.#common(name, help), labelNames, buckets: [...buckets] });
  }

  #common(name: string, help: string): { name: string; help: string; registers: prometheus.Registry[] } {
    return { name: `${PREFIX}${name}`, help: `[ALPHA] ${help}`, registers: [this.#registry] };
  }
}

function imageSize(bytes: number): string {
  return bytes === 0 ? "N/A" : (IMAGE_SIZES.find(([from]) => bytes > from)?.[1] ?? "");
}
