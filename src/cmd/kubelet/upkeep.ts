import type { Pod } from "#api/generated/core/v1.ts";
import { parseGoDuration } from "#apimachinery/go-duration.ts";
import { parseQuantity, quantityValue } from "#apimachinery/resource/quantity.ts";
import { realClock } from "#base/clock.ts";
import { realHostFiles } from "#base/host-files.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import type { ObjectReference } from "#client/event-target.ts";
import type { Logger } from "#component-base/logging.ts";
import { isPodTerminal } from "#component-helpers/pod/pod-conditions.ts";
import type { ImageService } from "#cri/image-service.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import type { KubeletConfiguration } from "#kubelet/configuration/kubelet-configuration.ts";
import { EvictionManager, type Measurement } from "#kubelet/eviction/eviction-manager.ts";
import { measurePods } from "#kubelet/eviction/measure-pods.ts";
import { PressureState } from "#kubelet/eviction/pressure-state.ts";
import { observationsOf } from "#kubelet/eviction/signals.ts";
import { parseThresholds } from "#kubelet/eviction/thresholds.ts";
import { ImageGc } from "#kubelet/images/image-gc.ts";
import type { Kubelet } from "#kubelet/kubelet.ts";
import { ContainerGc } from "#kubelet/kuberuntime/container-gc.ts";
import { PodLogs } from "#kubelet/kuberuntime/pod-logs.ts";
import { LogRotation } from "#kubelet/logs/log-rotation.ts";
import type { KubeletMetrics } from "#kubelet/metrics/kubelet-metrics.ts";
import type { NodeStats } from "#kubelet/stats/node-stats.ts";
import type { VolumeStats } from "#kubelet/volumes/volume-stats.ts";
import { StartupError } from "../startup-error.ts";
import { hostStats, sandboxImageOf } from "./stats.ts";

/** How often dead containers are removed, and images (upstream's `ContainerGCPeriod` and `ImageGCPeriod`), in milliseconds. */
const CONTAINER_GC_MS = 60_000;
const IMAGE_GC_MS = 300_000;

/** What keeps a node tidy, and its pods within what it has. */
export interface UpkeepRequest {
  readonly agent: Kubelet;
  readonly nodeName: string;
  readonly rootDir: string;
  readonly configuration: KubeletConfiguration;
  readonly runtime: RuntimeService;
  readonly images: ImageService;
  readonly volumeStats: (pod: Pod) => Promise<readonly VolumeStats[]>;
  /** What pods may have of memory together, in bytes. */
  readonly podsMemoryMax: number;
  readonly recorder: EventRecorder;
  readonly metrics: KubeletMetrics;
  readonly logger: Logger;
}

/** Starts to remove what is dead and unused, to put large logs aside, and to evict pods when the node runs short. */
export function startUpkeep(request: UpkeepRequest): { readonly evictions: EvictionManager; readonly close: () => void } {
  const { agent, configuration, runtime, recorder, logger, nodeName } = request;
  // Upstream's kubelet knows its node by its name alone.
  const node: ObjectReference = { kind: "Node", apiVersion: "v1", name: nodeName, uid: nodeName };
  const stats = hostStats(request.rootDir, request.images);
  const images = imageGcOf(request, node, stats.nodeStats);
  const isFinished = (uid: string): boolean => {
    const pod = agent.pods().find(({ metadata }) => metadata.uid === uid);
    return pod !== undefined && isPodTerminal(pod);
  };
  const dead = new ContainerGc({ runtime, logs: new PodLogs({ files: realHostFiles }), isFinished, logger });
  const evictions = new EvictionManager({
    state: stateOf(configuration),
    measure: () => measure(request, stats),
    pods: () => agent.activePods(),
    evict: (pod, failure, graceSeconds) => agent.evict(pod, failure, graceSeconds),
    reclaimDisk: async () => {
      await dead.collect(true);
      await images.removeUnused();
    },
    limitsStorage: configuration.localStorageCapacityIsolation,
    softGraceSeconds: configuration.evictionMaxPodGracePeriod ?? 0,
    recorder,
    metrics: request.metrics,
    node,
    clock: realClock,
    logger,
  });
  const timers = [
    every(CONTAINER_GC_MS, () => dead.collect(false), "dead containers could not be removed", logger),
    ...imageTimers(images, configuration, logger),
    ...logTimers(request),
  ];
  evictions.start();
  return {
    evictions,
    close: () => {
      for (const timer of timers) timer.clear();
      evictions.stop();
    },
  };
}

function stateOf(configuration: KubeletConfiguration): PressureState {
  try {
    return new PressureState(parseThresholds(configuration), parseGoDuration(configuration.evictionPressureTransitionPeriod));
  } catch (error) {
    throw new StartupError((error as Error).message);
  }
}

async function measure(request: UpkeepRequest, stats: ReturnType<typeof hostStats>): Promise<Measurement> {
  const { agent, runtime, volumeStats, podsMemoryMax } = request;
  const [node, pods] = await Promise.all([
    stats.nodeStats(),
    measurePods({ host: { runtime, rates: stats.rates }, pods: agent.activePods(), volumeStats, logBytes: stats.logBytes }),
  ]);
  const { disks } = node;
  const hasImageFs = disks.images.capacityBytes !== disks.node.capacityBytes || disks.images.inodes !== disks.node.inodes;
  return {
    observations: observationsOf(node, { memoryBytes: pods.memoryBytes, memoryMax: podsMemoryMax }),
    useOf: ({ metadata }) => pods.byUid.get(metadata.uid ?? ""),
    hasImageFs,
  };
}

function imageGcOf(request: UpkeepRequest, node: ObjectReference, nodeStats: () => Promise<NodeStats>): ImageGc {
  const { agent, configuration, runtime, images, recorder, metrics, logger } = request;
  const { imageGCHighThresholdPercent, imageGCLowThresholdPercent, imageMinimumGCAge, imageMaximumGCAge = "0s" } = configuration;
  const ofVolumes = (): readonly string[] =>
    agent.pods().flatMap(({ spec }) => (spec.volumes ?? []).flatMap(({ image }) => image?.reference ?? []));
  return new ImageGc({
    images,
    runtime,
    alsoUsed: async () => [...(await sandboxImages(runtime, images)), ...ofVolumes()],
    disk: async () => (await nodeStats()).disks.images,
    policy: {
      highPercent: imageGCHighThresholdPercent,
      lowPercent: imageGCLowThresholdPercent,
      minAgeMs: parseGoDuration(imageMinimumGCAge),
      maxAgeMs: parseGoDuration(imageMaximumGCAge),
    },
    recorder,
    node,
    metrics,
    clock: realClock,
    logger,
  });
}

/** Older runtimes do not pin the image of their sandboxes, without which no pod can start. */
async function sandboxImages(runtime: RuntimeService, images: ImageService): Promise<readonly string[]> {
  const name = await sandboxImageOf(runtime);
  if (name === undefined) return [];
  const found = await images.imageStatus({ image: name });
  return found === undefined ? [name] : [name, found.id];
}

function imageTimers(images: ImageGc, configuration: KubeletConfiguration, logger: Logger): readonly Stoppable[] {
  const look = every(IMAGE_GC_MS, () => images.detect(), "images could not be listed", logger);
  void images.detect().catch(() => undefined);
  const { imageGCHighThresholdPercent: high, imageMaximumGCAge = "0s" } = configuration;
  if (high === 100 && parseGoDuration(imageMaximumGCAge) === 0) return [look];
  return [look, every(IMAGE_GC_MS, () => images.run(), "unused images could not be removed", logger)];
}

function logTimers({ configuration, runtime, logger }: UpkeepRequest): readonly Stoppable[] {
  const { containerLogMaxSize, containerLogMaxFiles, containerLogMaxWorkers, containerLogMonitorInterval } = configuration;
  const maxBytes = quantityValue(parseQuantity(containerLogMaxSize));
  // Upstream's way to say: never.
  if (maxBytes < 0) return [];
  const rotation = new LogRotation({
    runtime,
    files: realHostFiles,
    maxBytes,
    maxFiles: containerLogMaxFiles,
    workers: containerLogMaxWorkers,
    clock: realClock,
    logger,
  });
  const periodMs = parseGoDuration(containerLogMonitorInterval);
  return [every(periodMs, () => rotation.rotateAll(), "logs of containers could not be put aside", logger)];
}

interface Stoppable {
  clear(): void;
}

/** One after the other, however long one takes. */
function every(periodMs: number, act: () => Promise<void>, failure: string, logger: Logger): Stoppable {
  let isRunning = false;
  const run = async (): Promise<void> => {
    if (isRunning) return;
    isRunning = true;
    await act().catch((error: unknown) => logger.warn({ err: error }, failure));
    isRunning = false;
  };
  return realClock.setInterval(() => void run(), periodMs, { unref: true });
}
