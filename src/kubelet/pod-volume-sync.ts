import type { Pod } from "#api/generated/core/v1.ts";
import type { PodNow } from "./inside/pod-volumes.ts";
import type { PodEvents } from "./pod-events.ts";
import type { PodWorkerModules } from "./pod-worker-modules.ts";
import { VolumeError } from "./volumes/volume-manager.ts";

/** Sets up the volumes of one pod and keeps them up to date. */
export class PodVolumeSync {
  readonly #modules: Pick<PodWorkerModules, "volumes" | "clock" | "resyncMs">;
  readonly #events: PodEvents;
  readonly #now: PodNow;
  /** Long ago: not yet, or not for the pod as it is now. */
  #doneAtMs = Number.NEGATIVE_INFINITY;

  constructor(modules: Pick<PodWorkerModules, "volumes" | "clock" | "resyncMs">, events: PodEvents, now: PodNow) {
    this.#modules = modules;
    this.#events = events;
    this.#now = now;
  }

  /** The pod is another one now: volumes show its labels and annotations. */
  changed(before: Pod, after: Pod): void {
    const texts = ({ metadata: { labels, annotations } }: Pod): string => JSON.stringify([labels, annotations]);
    if (this.#modules.resyncMs !== undefined && texts(before) !== texts(after)) this.#doneAtMs = Number.NEGATIVE_INFINITY;
  }

  /** False when one cannot be had, which is told. */
  async setUp(): Promise<boolean> {
    const { volumes, clock } = this.#modules;
    try {
      await volumes.setUp(this.#now);
      this.#doneAtMs = clock.elapsed();
      return true;
    } catch (error) {
      if (!(error instanceof VolumeError)) throw error;
      this.#events.problem(this.#now().pod, clock.elapsed(), error.reason, error.message);
      return false;
    }
  }

  /**
   * What has changed in the API is brought into the volumes. False when a container is to start and its volumes are not there;
   * those of running containers stay as they are.
   */
  async refresh(isStarting: boolean): Promise<boolean> {
    const { resyncMs, clock } = this.#modules;
    const isDue = resyncMs !== undefined && clock.elapsed() - this.#doneAtMs >= resyncMs;
    if (resyncMs === undefined || (!isDue && !isStarting)) return true;
    return (await this.setUp()) || !isStarting;
  }
}
