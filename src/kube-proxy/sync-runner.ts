import type { Clock, Timer } from "#base/clock.ts";

/** Options of {@link SyncRunner}. */
export interface SyncRunnerOptions {
  readonly clock: Clock;
  /** Runs begin at least so many milliseconds one after another: changes that come in a burst are put in place together. */
  readonly minIntervalMs: number;
  /** Never rejects. Returns after how many milliseconds it is to run again, if it is. */
  readonly run: () => Promise<number | undefined>;
}

/** Runs one task, never twice at once: soon after it was asked for, but not too often. */
export class SyncRunner {
  readonly #options: SyncRunnerOptions;
  #timer: Timer | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #lastStartMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: SyncRunnerOptions) {
    this.#options = options;
  }

  /** Asks for a run: at once, or as soon as the interval allows. One that goes on does not count. */
  ask(afterMs = 0): void {
    const { clock, minIntervalMs } = this.#options;
    const dueMs = Math.max(clock.now() + afterMs, this.#lastStartMs + minIntervalMs);
    if (this.#isStopped || dueMs >= this.#dueMs) return;
    this.#dueMs = dueMs;
    this.#timer?.clear();
    this.#timer = undefined;
    if (this.#running === undefined) this.#schedule();
  }

  /** Resolves when what runs has ended; nothing runs after. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.clear();
    await this.#running;
  }

  #schedule(): void {
    const waitMs = this.#dueMs - this.#options.clock.now();
    if (waitMs <= 0) this.#start();
    else this.#timer = this.#options.clock.setTimeout(() => this.#start(), waitMs);
  }

  #start(): void {
    this.#timer = undefined;
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#lastStartMs = this.#options.clock.now();
    this.#running = this.#work();
  }

  async #work(): Promise<void> {
    const againAfterMs = await this.#options.run();
    this.#running = undefined;
    if (againAfterMs !== undefined) this.ask(againAfterMs);
    if (!this.#isStopped && this.#timer === undefined && this.#dueMs < Number.POSITIVE_INFINITY) this.#schedule();
  }
}
