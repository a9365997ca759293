import type { Clock } from "#base/clock.ts";

/** Remembers answers for a while; the oldest go first when there are too many. */
export class ExpiringCache<T> {
  readonly #clock: Clock;
  readonly #entriesMax: number;
  readonly #entries = new Map<string, { readonly value: T; readonly expiresAtMs: number }>();

  constructor(clock: Clock, entriesMax: number) {
    this.#clock = clock;
    this.#entriesMax = entriesMax;
  }

  get(key: string): T | undefined {
    const found = this.#entries.get(key);
    return found === undefined || found.expiresAtMs <= this.#clock.elapsed() ? undefined : found.value;
  }

  set(key: string, value: T, ttlMs: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, expiresAtMs: this.#clock.elapsed() + ttlMs });
    if (this.#entries.size <= this.#entriesMax) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      break;
    }
  }
}
