import type { Clock, Timer } from "#base/clock.ts";
import type { InFlightCount } from "../metrics/request-metrics.ts";

/** One request that is being worked on. */
export interface Pending {
  readonly beganMs: number;
  readonly mutating: boolean;
  /** Called when the request has taken too long. */
  readonly expire: () => void;
}

/** How often requests are looked at for being late: a timer for each would cost more than this. */
const SWEEP_PERIOD_MS = 5_000;

/** The requests in progress that are no watches. */
export class InFlight {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #pending = new Set<Pending>();
  readonly #sweep: Timer;
  #mutating = 0;
  #onIdle: (() => void) | undefined;

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#sweep = clock.setInterval(() => this.#expireLate(), SWEEP_PERIOD_MS, { unref: true });
  }

  get size(): number {
    return this.#pending.size;
  }

  get counts(): InFlightCount {
    return { mutating: this.#mutating, readOnly: this.#pending.size - this.#mutating };
  }

  add(pending: Pending): void {
    this.#pending.add(pending);
    if (pending.mutating) this.#mutating++;
  }

  remove(pending: Pending): void {
    if (!this.#pending.delete(pending)) return;
    if (pending.mutating) this.#mutating--;
    if (this.#pending.size === 0) this.#onIdle?.();
  }

  /** Resolves when nothing is in progress, or after `timeoutMs`. No request is looked at for being late any more. */
  async drain(timeoutMs: number): Promise<void> {
    this.#sweep.clear();
    if (this.#pending.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimeout(resolve, timeoutMs);
      this.#onIdle = () => {
        timer.clear();
        resolve();
      };
    });
  }

  #expireLate(): void {
    const oldest = this.#clock.elapsed() - this.#timeoutMs;
    for (const pending of this.#pending) {
      if (pending.beganMs > oldest) return;
      this.remove(pending);
      pending.expire();
    }
  }
}
