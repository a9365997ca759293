import type { Clock } from "#base/clock.ts";

/** So many at once, and so many a second (upstream's `throttledImageService`). */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #burst: number;
  #left: number;
  #atMs: number;

  /** A rate of 0 lets everything through. */
  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#left = burst;
    this.#atMs = clock.elapsed();
  }

  /** Takes one; false when there is none. */
  take(): boolean {
    if (this.#perSecond === 0) return true;
    const nowMs = this.#clock.elapsed();
    this.#left = Math.min(this.#burst, this.#left + ((nowMs - this.#atMs) / 1000) * this.#perSecond);
    this.#atMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
