/** Longest time that a refused client is told to wait, in seconds. */
const RETRY_AFTER_S_MAX = 32;

/**
 * How long refused clients are to wait: doubled while many are refused, a second less when few are, looked at once a second
 * (upstream's `DroppedRequestsTracker`).
 */
export class RetryAfter {
  #seconds = 1;
  #second = 0;
  #count = 0;
  #raisedAt = 0;
  #history: { readonly second: number; readonly count: number }[] = [];

  get seconds(): number {
    return this.#seconds;
  }

  /** `nowMs` is milliseconds since the epoch. */
  recordRefusal(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (second === this.#second) {
      this.#count++;
      return;
    }
    this.#history.push({ second: this.#second, count: this.#count });
    const kept = Math.min(2 * this.#seconds, RETRY_AFTER_S_MAX);
    this.#history = this.#history.filter((entry) => second - entry.second <= kept);
    this.#second = second;
    this.#count = 1;
    this.#adjust(second);
  }

  #adjust(now: number): void {
    const recent = this.#history.filter(({ second }) => now - second <= this.#seconds && second < now);
    const refused = recent.reduce((sum, { count }) => sum + count, 0);
    if (now - this.#raisedAt >= this.#seconds && refused >= 3 * this.#seconds) {
      this.#seconds = Math.min(this.#seconds * 2, RETRY_AFTER_S_MAX);
      this.#raisedAt = now;
    } else if (refused < this.#seconds && this.#seconds > 1) this.#seconds--;
  }
}
