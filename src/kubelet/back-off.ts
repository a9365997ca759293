/** First and longest delay before a container that ended is started again. */
export const RESTART_DELAY_MIN_MS = 10_000;
export const RESTART_DELAY_MAX_MS = 300_000;

interface Entry {
  delayMs: number;
  updatedMs: number;
}

/** The restart delays of one pod's containers: doubled at each restart, forgotten after twice the longest delay. */
export class BackOff {
  /** By name; hardly any pod has one. */
  #entries: Map<string, Entry> | undefined;
  readonly #maxMs: number;

  /** `maxMs`: the longest delay, and the first one too where it is less (`crashLoopBackOff.maxContainerRestartPeriod`). */
  constructor(maxMs: number = RESTART_DELAY_MAX_MS) {
    this.#maxMs = maxMs;
  }

  /** When a container that ended may start again; the first time at once. */
  allowedAtMs(name: string, finishedAtMs: number): number {
    const entry = this.#entries?.get(name);
    if (entry === undefined || finishedAtMs - entry.updatedMs > 2 * this.#maxMs) return finishedAtMs;
    return finishedAtMs + entry.delayMs;
  }

  /** The delay that holds now, in milliseconds; 0 for none. */
  delayMs(name: string): number {
    return this.#entries?.get(name)?.delayMs ?? 0;
  }

  /** Forgets what would start over, for who keeps the delays of many. */
  forgetOld(nowMs: number): void {
    if (this.#entries === undefined) return;
    for (const [name, { updatedMs }] of this.#entries) {
      if (nowMs - updatedMs > 2 * RESTART_DELAY_MAX_MS) this.#entries.delete(name);
    }
  }

  /** A container is started again. */
  next(name: string, nowMs: number): void {
    this.#entries ??= new Map();
    const entry = this.#entries.get(name);
    if (entry === undefined || nowMs - entry.updatedMs > 2 * this.#maxMs) {
      this.#entries.set(name, { delayMs: Math.min(RESTART_DELAY_MIN_MS, this.#maxMs), updatedMs: nowMs });
      return;
    }
    entry.delayMs = Math.min(entry.delayMs * 2, this.#maxMs);
    entry.updatedMs = nowMs;
  }
}
