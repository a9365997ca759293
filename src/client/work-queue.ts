import type { Clock, Timer } from "#base/clock.ts";
import { OldestFirst } from "#base/oldest-first.ts";

/** Delays after failures: `baseMs * 2^failures`, at most `maxMs`. */
export interface RateLimits {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** The longest delay that timers know: 24.8 days. What is due later comes too early, and can be put off again. */
const DELAY_MAX_MS = 2_147_483_647;

/** Upstream's `DefaultTypedControllerRateLimiter`: 5 ms to 1000 s. */
export const DEFAULT_RATE_LIMITS: RateLimits = { baseMs: 5, maxMs: 1_000_000 };

/**
 * Keys to work on, after client-go's rate limiting work queue: a key waits at most once, is never handed to two
 * workers at a time, and comes again when it was added while it was worked on.
 */
export class RateLimitingQueue<K = string> {
  readonly #clock: Clock;
  readonly #limits: RateLimits;
  readonly #queue = new Set<K>();
  readonly #first = new OldestFirst(this.#queue);
  readonly #processing = new Set<K>();
  readonly #dirtyWhileProcessing = new Set<K>();
  readonly #delayed = new Map<K, { dueMs: number; timer: Timer }>();
  readonly #failures = new Map<K, number>();
  readonly #waiters: ((key: K | undefined) => void)[] = [];
  #shutDown = false;

  constructor(options: { clock: Clock; limits?: RateLimits }) {
    this.#clock = options.clock;
    this.#limits = options.limits ?? DEFAULT_RATE_LIMITS;
  }

  /** Keys that wait to be handed out; those delayed or in work do not count. */
  get length(): number {
    return this.#queue.size;
  }

  add(key: K): void {
    if (this.#shutDown) return;
    if (this.#processing.has(key)) {
      this.#dirtyWhileProcessing.add(key);
      return;
    }
    const waiter = this.#queue.has(key) ? undefined : this.#waiters.shift();
    if (waiter !== undefined) {
      this.#processing.add(key);
      waiter(key);
      return;
    }
    this.#queue.add(key);
  }

  /** Adds after `wantedDelayMs`; of several delays for one key the earliest counts. */
  addAfter(key: K, wantedDelayMs: number): void {
    const delayMs = Math.min(wantedDelayMs, DELAY_MAX_MS);
    if (this.#shutDown) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const dueMs = this.#clock.elapsed() + delayMs;
    const waiting = this.#delayed.get(key);
    if (waiting !== undefined && waiting.dueMs <= dueMs) return;
    waiting?.timer.clear();
    const timer = this.#clock.setTimeout(
      () => {
        this.#delayed.delete(key);
        this.add(key);
      },
      delayMs,
      { unref: true },
    );
    this.#delayed.set(key, { dueMs, timer });
  }

  /** Adds after the delay that the key's failures have earned, and counts one more. */
  addRateLimited(key: K): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.addAfter(key, Math.min(this.#limits.baseMs * 2 ** failures, this.#limits.maxMs));
  }

  /** The key succeeded or is given up: its next failure starts from the shortest delay. */
  forget(key: K): void {
    this.#failures.delete(key);
  }

  /** Failures since the last {@link forget}. */
  failures(key: K): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The next key, as soon as there is one; undefined after shutdown. Call {@link done} with it afterwards. */
  get(): Promise<K | undefined> {
    if (this.#shutDown) return Promise.resolve(undefined);
    const key = this.#first.next();
    if (key === undefined) return new Promise((resolve) => this.#waiters.push(resolve));
    this.#queue.delete(key);
    this.#processing.add(key);
    return Promise.resolve(key);
  }

  done(key: K): void {
    this.#processing.delete(key);
    if (this.#dirtyWhileProcessing.delete(key)) this.add(key);
  }

  /** Drops what waits and lets every {@link get} return undefined. */
  shutDown(): void {
    this.#shutDown = true;
    for (const { timer } of this.#delayed.values()) timer.clear();
    this.#delayed.clear();
    this.#queue.clear();
    this.#dirtyWhileProcessing.clear();
    for (const waiter of this.#waiters.splice(0)) waiter(undefined);
  }
}
