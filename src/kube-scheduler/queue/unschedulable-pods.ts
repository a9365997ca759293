import type { QueuedPod } from "./scheduling-queue.ts";

/** Pods that the same plugins rejected. */
interface Group {
  readonly plugins: readonly string[];
  readonly pods: Map<string, Waiting>;
}

interface Waiting {
  readonly queued: QueuedPod;
  /** Grows with each pod that comes. */
  readonly serial: number;
}

/**
 * Pods that wait for an event, by the plugins that rejected them: an event that none of these plugins wants to hear of costs nothing,
 * however many pods wait. Most are such, for each pod that is bound is one. Gated pods wait for no event and stand apart.
 */
export class UnschedulablePods {
  readonly #gated = new Map<string, QueuedPod>();
  readonly #groups = new Map<string, Group>();
  readonly #groupOf = new Map<string, Group>();
  #serial = 0;

  /** How many there are, gated or not. */
  get size(): number {
    return this.gated + this.#groupOf.size;
  }

  /** How many are kept out of the queue before any attempt. */
  get gated(): number {
    return this.#gated.size;
  }

  get(uid: string): QueuedPod | undefined {
    return this.#gated.get(uid) ?? this.#groupOf.get(uid)?.pods.get(uid)?.queued;
  }

  /** Files the pod by what is known of it now. */
  add(queued: QueuedPod): void {
    const { uid } = queued.info;
    this.delete(uid);
    if (queued.gated) {
      this.#gated.set(uid, queued);
      return;
    }
    const plugins = [...queued.rejectors].sort();
    const key = plugins.join();
    const group = this.#groups.get(key) ?? { plugins, pods: new Map() };
    this.#groups.set(key, group);
    this.#groupOf.set(uid, group);
    group.pods.set(uid, { queued, serial: this.#serial++ });
  }

  delete(uid: string): void {
    this.#gated.delete(uid);
    const group = this.#groupOf.get(uid);
    if (group === undefined) return;
    this.#groupOf.delete(uid);
    group.pods.delete(uid);
    if (group.pods.size === 0) this.#groups.delete(group.plugins.join());
  }

  /**
   * Those that are wanted and not gated, in the order in which they came. Who is wanted is asked once for each set of plugins that
   * rejected pods: nobody when the answer is undefined.
   */
  select(wanted: (rejectors: readonly string[]) => ((queued: QueuedPod) => boolean) | undefined): QueuedPod[] {
    const found: Waiting[] = [];
    for (const { plugins, pods } of this.#groups.values()) {
      const isWanted = wanted(plugins);
      if (isWanted === undefined) continue;
      for (const waiting of pods.values()) if (isWanted(waiting.queued)) found.push(waiting);
    }
    return found.sort((a, b) => a.serial - b.serial).map(({ queued }) => queued);
  }
}
