import type { Clock } from "#base/clock.ts";
import type { KubeletMetrics } from "./kubelet-metrics.ts";

/** Measures how long it takes to bring one pod further, by why that is done (upstream's `SyncPodType`). */
export class SyncCounter {
  readonly #clock: Clock;
  readonly #counts: Pick<KubeletMetrics, "synced" | "workerStarted"> | undefined;
  readonly #seenMs: number;
  #next: "create" | "update" | "sync" = "create";

  /** To be made when the pod is seen first. Nothing is measured without `counts`. */
  constructor(clock: Clock, counts: Pick<KubeletMetrics, "synced" | "workerStarted"> | undefined) {
    this.#clock = clock;
    this.#counts = counts;
    this.#seenMs = clock.elapsed();
  }

  /** The pod changed. */
  changed(): void {
    if (this.#next !== "create") this.#next = "update";
  }

  run<T>(sync: () => Promise<T>): Promise<T> {
    return this.#counts === undefined ? sync() : this.#measured(sync, this.#counts);
  }

  async #measured<T>(sync: () => Promise<T>, counts: Pick<KubeletMetrics, "synced" | "workerStarted">): Promise<T> {
    const beganMs = this.#clock.elapsed();
    const type = this.#next;
    this.#next = "sync";
    if (type === "create") counts.workerStarted((beganMs - this.#seenMs) / 1000);
    try {
      return await sync();
    } finally {
      counts.synced(type, (this.#clock.elapsed() - beganMs) / 1000);
    }
  }
}
