/** First and longest delay before a container that ended is started again. */
export const RESTART_DELAY_MIN_MS = 10_000;
export const RESTART_DELAY_MAX_MS = 300_000;

interface Entry {
  delayMs: number;
  updatedMs: number;
}

/** The restart delays of one pod's containers: doubled at each restart, forgotten after twice the longest delay. */
export class BackOff {
  readonly #entries = new Map<string, Entry>();

  /** When a container that ended may start again; the first time at once. */
  allowedAtMs(name: string, finishedAtMs: number): number {
    const entry = this.#entries.get(name);
    if (entry === undefined || finishedAtMs - entry.updatedMs > 2 * RESTART_DELAY_MAX_MS) return finishedAtMs;
    return finishedAtMs + entry.delayMs;
  }

  /** The delay that holds now, in milliseconds; 0 for none. */
  delayMs(name: string): number {
    return this.#entries.get(name)?.delayMs ?? 0;
  }

  /** A container is started again. */
  next(name: string, nowMs: number): void {
    const entry = this.#entries.get(name);
    if (entry === undefined || nowMs - entry.updatedMs > 2 * RESTART_DELAY_MAX_MS) {
      this.#entries.set(name, { delayMs: RESTART_DELAY_MIN_MS, updatedMs: nowMs });
      return;
    }
    entry.delayMs = Math.min(entry.delayMs * 2, RESTART_DELAY_MAX_MS);
    entry.updatedMs = nowMs;
  }
}
