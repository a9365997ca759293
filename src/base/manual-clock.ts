import type { Clock, Timer } from "./clock.ts";

interface Task {
  dueMs: number;
  /** Which of those due together was set first. */
  readonly order: number;
  readonly run: () => void;
  /** For intervals. */
  readonly everyMs: number | undefined;
}

/** A {@link Clock} that stands still until a test lets time pass. Timers fire in the order in which they are due. */
export class ManualClock implements Clock {
  readonly #tasks = new Set<Task>();
  #nowMs: number;
  /** How far the machine's clock has been set apart from what has passed. */
  #stepMs = 0;
  #order = 0;

  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs + this.#stepMs;
  }

  elapsed(): number {
    return this.#nowMs;
  }

  /** Timers that were set, and neither fired nor cleared. */
  get pending(): number {
    return this.#tasks.size;
  }

  setTimeout(task: () => void, delayMs: number): Timer {
    return this.#add(task, delayMs, undefined);
  }

  setInterval(task: () => void, periodMs: number): Timer {
    return this.#add(task, periodMs, periodMs);
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        timer.clear();
        reject(signal?.reason);
      };
      const timer = this.setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, delayMs);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Lets time pass. What timers set falls into it as well; promises are for the caller to await. */
  advance(milliseconds: number): void {
    const endMs = this.#nowMs + milliseconds;
    for (let next = this.#nextUntil(endMs); next !== undefined; next = this.#nextUntil(endMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      if (next.everyMs === undefined) this.#tasks.delete(next);
      else next.dueMs += next.everyMs;
      next.run();
    }
    this.#nowMs = endMs;
  }

  /** Somebody sets the machine's clock: later, or earlier when negative. No time passes. */
  step(milliseconds: number): void {
    this.#stepMs += milliseconds;
  }

  #add(run: () => void, delayMs: number, everyMs: number | undefined): Timer {
    const task: Task = { dueMs: this.#nowMs + delayMs, order: this.#order++, run, everyMs };
    this.#tasks.add(task);
    return { clear: () => void this.#tasks.delete(task) };
  }

  #nextUntil(endMs: number): Task | undefined {
    const due = [...this.#tasks].filter(({ dueMs }) => dueMs <= endMs);
    return due.sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)[0];
  }
}
