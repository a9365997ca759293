import type { Clock, Timer } from "#base/clock.ts";
import { noteDefect } from "#base/defect.ts";

/** How long it takes until what failed is tried again: twice as long each time. */
const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 10_000;

/** What a {@link SyncLoop} does. */
export interface SyncLoopOptions {
  readonly clock: Clock;
  /** One look, and what it leads to. Gives when to look again, by `Clock.elapsed`; undefined when something has to happen first. */
  readonly sync: () => Promise<number | undefined>;
  /** A look has failed. The next one comes after a delay. */
  readonly onError: (error: unknown) => void;
  /** After how many milliseconds it looks again though nothing happened; undefined: not at all. */
  readonly resyncMs: () => number | undefined;
}

/** Looks at one thing again whenever something happened, one look at a time. Does nothing before {@link SyncLoop.resume}. */
export class SyncLoop {
  readonly #options: SyncLoopOptions;
  #timer: Timer | undefined;
  #running = false;
  #again = false;
  #paused = true;
  #closed = false;
  #retryMs = RETRY_MIN_MS;

  constructor(options: SyncLoopOptions) {
    this.#options = options;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  /** Something happened: it looks at once, or again when it looks just now. */
  wake(): void {
    if (this.#paused || this.#closed) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    void this.#run();
  }

  /** From within a look: the next one comes right behind it. */
  again(): void {
    this.#again = true;
  }

  /** Nothing is looked at until {@link resume}. */
  pause(): void {
    this.#paused = true;
    this.#timer?.clear();
  }

  /** It looks, and goes on to. */
  resume(): void {
    this.#paused = false;
    this.wake();
  }

  /** Ends it for good. */
  close(): void {
    this.#closed = true;
    this.#timer?.clear();
  }

  /** When what failed is to be tried again, by `Clock.elapsed`; the next time is twice as far, up to ten seconds. */
  retryAtMs(): number {
    const atMs = this.#options.clock.elapsed() + this.#retryMs;
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
    return atMs;
  }

  /** What failed goes well again. */
  recovered(): void {
    this.#retryMs = RETRY_MIN_MS;
  }

  async #run(): Promise<void> {
    let wakeAtMs: number | undefined;
    try {
      do {
        this.#again = false;
        wakeAtMs = await this.#options.sync();
      } while (this.#again && !this.#closed && !this.#paused);
    } catch (error) {
      noteDefect("a pod's worker", error);
      if (!this.#closed) this.#options.onError(error);
      wakeAtMs = this.retryAtMs();
    }
    this.#running = false;
    this.#wakeAt(wakeAtMs);
  }

  #wakeAt(atMs: number | undefined): void {
    this.#timer?.clear();
    this.#timer = undefined;
    const { clock, resyncMs } = this.#options;
    const afterMs = resyncMs();
    const times = [atMs, afterMs === undefined ? undefined : clock.elapsed() + afterMs].filter((time) => time !== undefined);
    if (times.length === 0 || this.#closed || this.#paused) return;
    this.#timer = clock.setTimeout(() => this.wake(), Math.max(0, Math.min(...times) - clock.elapsed()), { unref: true });
  }
}
