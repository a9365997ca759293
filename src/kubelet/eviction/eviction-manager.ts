import type { Pod } from "#api/generated/core/v1.ts";
import type { Clock } from "#base/clock.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import type { ObjectReference } from "#client/event-target.ts";
import type { Logger } from "#component-base/logging.ts";
import { isCriticalPod } from "../cm/critical-pods.ts";
import { qosClassOf } from "../cm/quality-of-service.ts";
import { messageOf } from "../kuberuntime/message-of.ts";
import type { KubeletMetrics } from "../metrics/kubelet-metrics.ts";
import type { Pressures } from "../nodestatus/conditions.ts";
import type { Rejection } from "../pod-admission.ts";
import { PodEvents } from "../pod-events.ts";
import { admissionMessage, evictionMessage } from "./messages.ts";
import type { UseOf } from "./pod-usage.ts";
import type { PressureState } from "./pressure-state.ts";
import { isToleratedBy } from "./pressure-toleration.ts";
import { rankForEviction } from "./ranking.ts";
import { conditionOf, type Observations, resourceOf } from "./signals.ts";
import { storageProblem } from "./storage-limits.ts";
import type { Threshold } from "./thresholds.ts";

/** What was measured at one time. */
export interface Measurement {
  readonly observations: Observations;
  readonly useOf: UseOf;
  /** Whether images are on a disk of their own. */
  readonly hasImageFs: boolean;
}

/** What an {@link EvictionManager} is made of. */
export interface EvictionManagerOptions {
  readonly state: PressureState;
  readonly measure: () => Promise<Measurement>;
  /** The pods that run here. */
  readonly pods: () => readonly Pod[];
  /** Ends a pod as failed; resolves when nothing of it runs any more. */
  readonly evict: (pod: Pod, failure: Rejection, graceSeconds: number) => Promise<void>;
  /** Frees what nobody needs on disks, before pods have to go. */
  readonly reclaimDisk: () => Promise<void>;
  /** Whether what pods write is held to their limits. */
  readonly limitsStorage: boolean;
  /** What pods are given to end on soft thresholds, in seconds. */
  readonly softGraceSeconds: number;
  readonly recorder: EventRecorder;
  readonly node: ObjectReference;
  /** Counts evictions; nobody does when absent. */
  readonly metrics?: Pick<KubeletMetrics, "evicted" | "evicting">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How often is measured, in milliseconds (upstream's `evictionMonitoringPeriod`). */
const PERIOD_MS = 10_000;
/** What a pod is given to end when it must go at once, in seconds. */
const HARD_GRACE_SECONDS = 1;
/** How long is waited for an evicted pod, in milliseconds. */
const CLEANUP_MS = 30_000;
const REASON = "Evicted";

/** Evicts pods from a node that runs short (upstream's `eviction.managerImpl`): at most one at a time for want of something. */
export class EvictionManager {
  readonly #options: EvictionManagerOptions;
  readonly #events: PodEvents;
  readonly #stopped = new AbortController();

  constructor(options: EvictionManagerOptions) {
    this.#options = options;
    this.#events = new PodEvents(options.recorder);
  }

  /** Measures again and again, until it is stopped. */
  start(): void {
    void this.#loop();
  }

  stop(): void {
    this.#stopped.abort(new Error("the kubelet is stopping"));
  }

  /** For the node's conditions. */
  pressures(): Pressures {
    const { conditions } = this.#options.state;
    return {
      memory: conditions.includes("MemoryPressure"),
      disk: conditions.includes("DiskPressure"),
      pid: conditions.includes("PIDPressure"),
    };
  }

  /** Why a pod cannot be taken on now: memory that is short is no matter to pods that were promised some (upstream's `Admit`). */
  refusal(pod: Pod): Rejection | undefined {
    const { conditions } = this.#options.state;
    if (conditions.length === 0 || isCriticalPod(pod)) return undefined;
    const onlyMemory = conditions.length === 1 && conditions[0] === "MemoryPressure";
    if (onlyMemory && (qosClassOf(pod) !== "BestEffort" || isToleratedBy(pod))) return undefined;
    return { reason: REASON, message: admissionMessage(conditions) };
  }

  /** One look at the node; gives the pods that were evicted. */
  async synchronize(): Promise<readonly Pod[]> {
    const { state, clock, measure, limitsStorage } = this.#options;
    const measuredMs = clock.elapsed();
    const measurement = await measure();
    const due = state.observe(measurement.observations, clock.elapsed());
    if (limitsStorage) {
      const evicted = await this.#limitStorage(measurement);
      if (evicted.length > 0) return evicted;
    }
    const [first] = due;
    return first === undefined ? [] : this.#relieve(first, due, measurement, measuredMs);
  }

  async #loop(): Promise<void> {
    const { clock, logger } = this.#options;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const evicted = await this.synchronize().catch((error: unknown) => {
        logger.warn({ err: messageOf(error) }, "what the node has left could not be measured");
        return [];
      });
      // After an eviction the next look is not put off: it may not have been enough.
      const waitMs = evicted.length > 0 ? 0 : PERIOD_MS;
      await clock.sleep(waitMs, signal).catch(() => undefined);
    }
  }

  async #relieve(
    threshold: Threshold,
    due: readonly Threshold[],
    measurement: Measurement,
    measuredMs: number,
  ): Promise<readonly Pod[]> {
    const { recorder, node, logger, state, measure, reclaimDisk, metrics, clock } = this.#options;
    const resource = resourceOf(threshold.signal);
    recorder.event(node, "Warning", "EvictionThresholdMet", `Attempting to reclaim ${resource}`);
    logger.warn({ signal: threshold.signal, resource }, "the node runs short");
    if (conditionOf(threshold.signal) === "DiskPressure" && freesDisk(threshold, measurement.hasImageFs)) {
      await reclaimDisk().catch((error: unknown) =>
        logger.warn({ err: messageOf(error) }, "what is unused could not be removed"),
      );
      if (state.isRelieved((await measure()).observations)) return [];
    }
    const { useOf, hasImageFs, observations } = measurement;
    for (const { signal } of due) metrics?.evicting(signal, (clock.elapsed() - measuredMs) / 1000);
    const grace = threshold.graceMs === 0 ? HARD_GRACE_SECONDS : this.#options.softGraceSeconds;
    for (const pod of rankForEviction(this.#options.pods(), threshold.signal, useOf, hasImageFs)) {
      const message = evictionMessage(resource, pod, useOf(pod), due, observations);
      if (!(await this.#evict(pod, { reason: REASON, message, isDisruption: true }, grace))) continue;
      metrics?.evicted(threshold.signal);
      return [pod];
    }
    logger.warn({ resource }, "no pod can be evicted");
    return [];
  }

  async #limitStorage({ useOf, hasImageFs }: Measurement): Promise<readonly Pod[]> {
    const evicted: Pod[] = [];
    for (const pod of this.#options.pods()) {
      const use = useOf(pod);
      const problem = use === undefined ? undefined : storageProblem(pod, use, hasImageFs);
      if (problem === undefined) continue;
      if (!(await this.#evict(pod, { reason: REASON, message: problem.message }, HARD_GRACE_SECONDS))) continue;
      this.#options.metrics?.evicted(problem.signal);
      evicted.push(pod);
    }
    return evicted;
  }

  /** False for pods that the node cannot do without. */
  async #evict(pod: Pod, failure: Rejection, graceSeconds: number): Promise<boolean> {
    if (isCriticalPod(pod)) return false;
    const { clock, evict } = this.#options;
    this.#events.pod(pod, "Warning", REASON, failure.message);
    const late = new AbortController();
    await Promise.race([evict(pod, failure, graceSeconds), clock.sleep(CLEANUP_MS, late.signal).catch(() => undefined)]);
    late.abort(new Error("the pod has ended"));
    return true;
  }
}

/** Where images have a disk of their own, there is nothing to remove on the node's. */
function freesDisk({ signal }: Threshold, hasImageFs: boolean): boolean {
  return !hasImageFs || !signal.startsWith("nodefs");
}
