import type { Clock, Timer } from "#base/clock.ts";

/** Calls once when nothing has happened for a while. Cheap to touch: it sets no timer each time. */
export class IdleTimer {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #onIdle: () => void;
  #lastMs: number;
  #timer: Timer | undefined;

  /** Never calls with a timeout of 0. */
  constructor(clock: Clock, timeoutMs: number, onIdle: () => void) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#onIdle = onIdle;
    this.#lastMs = clock.elapsed();
    if (timeoutMs > 0) this.#wait(timeoutMs);
  }

  /** Something has happened. */
  touch(): void {
    this.#lastMs = this.#clock.elapsed();
  }

  /** Calls no more. */
  stop(): void {
    this.#timer?.clear();
  }

  #wait(delayMs: number): void {
    const check = (): void => {
      const leftMs = this.#lastMs + this.#timeoutMs - this.#clock.elapsed();
      if (leftMs > 0) this.#wait(leftMs);
      else this.#onIdle();
    };
    this.#timer = this.#clock.setTimeout(check, delayMs, { unref: true });
  }
}
