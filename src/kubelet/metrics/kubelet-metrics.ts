import { HealthSlis } from "#component-base/health-slis.ts";
import { DeclaredMetrics } from "./declared-metrics.ts";
import { ProbeMetrics } from "./probe-metrics.ts";

const MB = 1024 * 1024;
const GB = 1024 * MB;
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
  /** And those of its health. */
  readonly slis: HealthSlis = new HealthSlis();
  readonly #declared = new DeclaredMetrics();

  /** A call of the runtime has been answered. */
  operation(type: string, seconds: number, failed: boolean): void {
    this.#declared.operations.inc({ operation_type: type });
    this.#declared.operationDuration.observe({ operation_type: type }, seconds);
    if (failed) this.#declared.operationErrors.inc({ operation_type: type });
  }

  /** A sandbox runs, or could not be made; `ownIds`: in a user namespace of its own. */
  sandbox(handler: string, seconds: number, failed: boolean, ownIds = false): void {
    if (ownIds) this.#declared.userPods.inc();
    if (ownIds && failed) this.#declared.userPodErrors.inc();
    this.#declared.sandboxDuration.observe({ runtime_handler: handler }, seconds);
    this.#declared.pods.inc();
    if (!failed) return;
    this.#declared.sandboxErrors.inc({ runtime_handler: handler });
    this.#declared.podErrors.inc();
  }

  /** It is tried to start a container. */
  startingContainer(kind: ContainerKind): void {
    this.#declared.containers.inc({ container_type: kind });
  }

  /** It could not be started; `reason` as its status says it. */
  containerFailed(kind: ContainerKind, reason: string): void {
    this.#declared.containerErrors.inc({ container_type: kind, code: reason });
  }

  /** The runtime's sandboxes and containers were listed, so long after the time before. `atMs` since the epoch. */
  relisted(atMs: number, seconds: number, intervalSeconds: number | undefined): void {
    this.#declared.lastSeen.set(Math.floor(atMs / 1000));
    this.#declared.relistDuration.observe(seconds);
    if (intervalSeconds !== undefined) this.#declared.relistInterval.observe(intervalSeconds);
  }

  /** A pod was brought further, for so long, because of this. */
  synced(operation: "create" | "update" | "sync", seconds: number): void {
    this.#declared.workerDuration.observe({ operation_type: operation }, seconds);
  }

  /** A pod is worked on, so long after it was seen first. */
  workerStarted(seconds: number): void {
    this.#declared.workerStart.observe(seconds);
  }

  /** A pod runs, so long after the kubelet saw it. */
  podRan(seconds: number): void {
    this.#declared.podStart.observe(seconds);
  }

  /** All containers of a pod were seen to run, so long after it was made; `own` without pulls and init containers. */
  podStarted(total: number, own: number): void {
    this.#declared.podStartTotal.observe(total);
    this.#declared.podStartSli.observe(own);
  }

  /** The API has a pod's status, so long after that changed. */
  statusSynced(seconds: number): void {
    this.#declared.statusSync.observe(seconds);
  }

  /** A pod with so many containers is taken on. */
  podAdded(containers: number): void {
    this.#declared.containersPerPod.observe(containers);
  }

  /** A pod that was gone is there again, by the same UID. */
  podRestarted(isStatic: boolean): void {
    this.#declared.restartedPods.inc({ static: isStatic ? "true" : "" });
  }

  /** The runtime has a pod that nobody knows. */
  orphanedPod(): void {
    this.#declared.orphanedPods.inc();
  }

  /** The volumes of so many pods that are gone were to be removed, of which some could not be. */
  volumesCleaned(pods: number, failed: number): void {
    this.#declared.cleanedVolumes.set(pods);
    this.#declared.cleanedVolumeErrors.set(failed);
  }

  /** The node does not take a pod. */
  rejected(reason: string): void {
    this.#declared.rejections.inc({ reason });
  }

  /** A pod has to make room for one that needs this. */
  preempted(resource: string): void {
    this.#declared.preemptions.inc({ preemption_signal: resource });
  }

  /** A cgroup was made, set or removed. */
  cgroup(operation: "create" | "update" | "destroy", seconds: number): void {
    this.#declared.cgroupDuration.observe({ operation_type: operation }, seconds);
  }

  cgroupVersion(version: 1 | 2): void {
    this.#declared.cgroupVersion.set(version);
  }

  /** An image was asked for; whether it is there is not looked at where it is pulled always. */
  imageEnsured(present: boolean | undefined, policy: string, isPulled: boolean): void {
    this.#declared.ensuredImages.inc({
      present_locally: String(present ?? "unknown"),
      pull_policy: policy.toLowerCase(),
      pull_required: String(isPulled),
    });
  }

  /** The image of a volume is wanted; what is given is called with whether it could be had. */
  imageVolume(): (mounted: boolean) => void {
    this.#declared.imageVolumes.inc();
    return (mounted) => (mounted ? this.#declared.imageVolumesMounted : this.#declared.imageVolumeErrors).inc();
  }

  /** The machine goes down; what is given is called when the pods have ended. Seconds since the epoch. */
  shutdown(startedAt: number): (endedAt: number) => void {
    this.#declared.shutdownStart.set(startedAt);
    return (endedAt) => this.#declared.shutdownEnd.set(endedAt);
  }

  /** A volume was mounted or taken down, by upstream's name of its plugin. */
  storage(plugin: string, operation: "volume_mount" | "volume_unmount", seconds: number, failed: boolean): void {
    const labels = { volume_plugin: plugin, operation_name: operation, migrated: "false" };
    this.#declared.storageDuration.observe({ ...labels, status: failed ? "fail-unknown" : "success" }, seconds);
  }

  evicted(signal: string): void {
    this.#declared.evictions.inc({ eviction_signal: signal });
  }

  /** A pod is to be evicted for what was measured so long ago. */
  evicting(signal: string, ageSeconds: number): void {
    this.#declared.statsAge.observe({ eviction_signal: signal }, ageSeconds);
  }

  /** An image was pulled; its size is 0 where it is not known. */
  pulled(sizeBytes: number, seconds: number): void {
    this.#declared.pullDuration.observe({ image_size_in_bytes: imageSize(sizeBytes) }, seconds);
  }

  /** An image was removed because the disk was full, or it had not been used for long. */
  imageCollected(reason: "space" | "age"): void {
    this.#declared.imagesCollected.inc({ reason });
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
    this.#declared.requests.inc(labels);
    this.#declared.inflight.inc(labels);
    return (seconds) => {
      this.#declared.inflight.dec(labels);
      this.#declared.requestDuration.observe(labels, seconds);
    };
  }

  /** All of it, in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#declared.registry.metrics();
  }
}

function imageSize(bytes: number): string {
  return bytes === 0 ? "N/A" : (IMAGE_SIZES.find(([from]) => bytes > from)?.[1] ?? "");
}
