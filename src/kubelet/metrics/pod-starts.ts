import type { Pod, PodStatus } from "#api/generated/core/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import type { Clock } from "#base/clock.ts";

/** What {@link PodStarts} tells: how long it took, in seconds. */
export interface PodStartObserver {
  /** From when the kubelet saw a pod first until it runs. */
  ran(seconds: number): void;
  /** From when the pod was made until it is seen to run; `own` without pulls of images and without init containers. */
  started(total: number, own: number): void;
}

interface Start {
  readonly seenMs: number;
  /** It was not begun before the kubelet was: only then is known how long it takes. */
  readonly isNew: boolean;
  /** When pulls of its images began and ended. */
  pulls: { readonly beganMs: number; endedMs: number } | undefined;
  hasRun: boolean;
  isDone: boolean;
}

/** Pods that are followed at the most; there are never so many on a node. */
const PODS_MAX = 10_000;

/** Finds out how long pods take to start (upstream's `PodStartupLatencyTracker`). */
export class PodStarts {
  readonly #clock: Clock;
  readonly #observer: PodStartObserver;
  readonly #starts = new Map<string, Start>();

  constructor(clock: Clock, observer: PodStartObserver) {
    this.#clock = clock;
    this.#observer = observer;
  }

  /** A pod is there or changed, as the API or a manifest shows it. */
  seen(pod: Pod): void {
    const { uid = "", creationTimestamp } = pod.metadata;
    const start = this.#starts.get(uid);
    if (start === undefined) {
      if (this.#starts.size >= PODS_MAX) return;
      const isNew = pod.status?.startTime === undefined;
      this.#starts.set(uid, { seenMs: this.#clock.now(), isNew, pulls: undefined, hasRun: false, isDone: false });
      return;
    }
    const createdMs = parseTime(creationTimestamp);
    if (!start.isNew || start.isDone || createdMs === undefined || !haveStarted(pod)) return;
    start.isDone = true;
    const totalMs = Math.max(0, this.#clock.now() - createdMs);
    const { pulls } = start;
    const pullingMs = pulls === undefined ? 0 : pulls.endedMs - pulls.beganMs;
    this.#observer.started(totalMs / 1000, Math.max(0, totalMs - pullingMs - initMs(pod.status)) / 1000);
  }

  /** An image was pulled for a pod, for so long until now. */
  pulled(uid: string, seconds: number): void {
    const start = this.#starts.get(uid);
    if (start === undefined) return;
    const endedMs = this.#clock.now();
    const beganMs = endedMs - seconds * 1000;
    start.pulls = start.pulls === undefined ? { beganMs, endedMs } : { beganMs: start.pulls.beganMs, endedMs };
  }

  /** The kubelet tells this status of a pod. */
  told({ metadata }: Pod, { phase }: PodStatus): void {
    const start = this.#starts.get(metadata.uid ?? "");
    if (start === undefined || start.hasRun || phase !== "Running") return;
    start.hasRun = true;
    if (start.isNew) this.#observer.ran((this.#clock.now() - start.seenMs) / 1000);
  }

  /** It is gone. */
  forget(uid: string): void {
    this.#starts.delete(uid);
  }
}

/** Each container runs. */
function haveStarted({ status, spec }: Pod): boolean {
  const statuses = status?.containerStatuses ?? [];
  return statuses.length === spec.containers.length && statuses.every(({ state }) => state?.running?.startedAt !== undefined);
}

/** How long init containers have run, one after the other. */
function initMs(status: PodStatus | undefined): number {
  return (status?.initContainerStatuses ?? []).reduce((sum, { state }) => {
    const [from, to] = [parseTime(state?.terminated?.startedAt), parseTime(state?.terminated?.finishedAt)];
    return from === undefined || to === undefined ? sum : sum + Math.max(0, to - from);
  }, 0);
}
