/** A timer that was set by {@link Clock}; `clear` is idempotent. */
export interface Timer {
  clear(): void;
}

/**
 * The passing of time, as a parameter: real in programs, virtual in simulations.
 * All durations are milliseconds; `now` is milliseconds since the Unix epoch, and may jump when somebody sets the machine's clock.
 */
export interface Clock {
  now(): number;
  /** Milliseconds since some moment, for durations: whoever sets the machine's clock does not change it. */
  elapsed(): number;
  /** Calls `task` once after `delayMs`. The timer does not keep the process alive when `unref` is set. */
  setTimeout(task: () => void, delayMs: number, options?: { unref?: boolean }): Timer;
  /** Calls `task` every `periodMs` until cleared. */
  setInterval(task: () => void, periodMs: number, options?: { unref?: boolean }): Timer;
  /** Resolves after `delayMs`, or rejects with the signal's reason when it is aborted first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's own clock. */
export const realClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  setTimeout(task, delayMs, options) {
    const handle = setTimeout(task, delayMs);
    if (options?.unref) handle.unref();
    return { clear: () => clearTimeout(handle) };
  },
  setInterval(task, periodMs, options) {
    const handle = setInterval(task, periodMs);
    if (options?.unref) handle.unref();
    return { clear: () => clearInterval(handle) };
  },
  sleep(delayMs, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const handle = setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, delayMs);
      const onAbort = () => {
        clearTimeout(handle);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  },
};
