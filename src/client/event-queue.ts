import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { Clock } from "#base/clock.ts";

/** Events of one recorder that wait to be written. Each is some 500 bytes; a rollout of 1,000 pods makes a few thousand. */
export const PENDING_MAX = 10_000;
/** Attempts to reach a server that is away, and the wait between two. Upstream's `maxTriesPerEvent`, `defaultSleepDuration`. */
const ATTEMPTS_MAX = 12;
const RETRY_MS = 10_000;

/** Options of {@link EventQueue}. */
export interface EventQueueOptions {
  readonly clock: Clock;
  readonly max?: number;
  /** Called when the queue begins to drop, with 0, and when it is empty again, with the number of dropped ones. */
  readonly onDropped?: (dropped: number) => void;
}

/** Writes one after the other, in order, best effort. */
export class EventQueue {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #onDropped: (dropped: number) => void;
  /** In order; a Set, because taking the first one from it costs nothing. */
  readonly #tasks = new Set<() => Promise<void>>();
  #running: Promise<void> | undefined;
  #dropped = 0;
  #flushes = 0;
  #hurry = new AbortController();

  constructor({ clock, max = PENDING_MAX, onDropped = () => {} }: EventQueueOptions) {
    this.#clock = clock;
    this.#max = max;
    this.#onDropped = onDropped;
  }

  /** False when too many wait already. */
  push(task: () => Promise<void>): boolean {
    if (this.#tasks.size >= this.#max) {
      if (this.#dropped++ === 0) this.#onDropped(0);
      return false;
    }
    this.#tasks.add(task);
    this.#running ??= this.#work();
    return true;
  }

  /** Resolves when everything that waits is written or given up; nothing waits for a server that is away meanwhile. */
  async flush(): Promise<void> {
    this.#flushes++;
    this.#hurry.abort();
    await this.#running;
    if (--this.#flushes === 0) this.#hurry = new AbortController();
  }

  async #work(): Promise<void> {
    // Lets a burst gather: repetitions of an event that is not written yet cost nothing.
    await Promise.resolve();
    for (let task = this.#next(); task !== undefined; task = this.#next()) await this.#attempt(task);
    this.#running = undefined;
    if (this.#dropped > 0) this.#onDropped(this.#dropped);
    this.#dropped = 0;
  }

  #next(): (() => Promise<void>) | undefined {
    for (const task of this.#tasks) {
      this.#tasks.delete(task);
      return task;
    }
    return undefined;
  }

  async #attempt(task: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await task();
      } catch (error) {
        // The server has answered: the namespace may be going. It would say the same again.
        if (error instanceof StatusError || attempt === ATTEMPTS_MAX || this.#hurry.signal.aborted) return;
      }
      try {
        await this.#clock.sleep(RETRY_MS, this.#hurry.signal);
      } catch {
        return;
      }
    }
  }
}
