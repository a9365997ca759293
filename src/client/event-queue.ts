import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { Clock } from "#base/clock.ts";
import { noteDefect } from "#base/defect.ts";
import { OldestFirst } from "#base/oldest-first.ts";

/** Events of one recorder that wait to be written. Each is some 500 bytes; a rollout of 1,000 pods makes a few thousand. */
export const PENDING_MAX = 10_000;
/** Attempts to reach a server that is away, and the wait between two. Upstream's `maxTriesPerEvent`, `defaultSleepDuration`. */
const ATTEMPTS_MAX = 12;
const RETRY_MS = 10_000;
/** Writes at the same time: a durable store answers many together as fast as one. */
const WRITERS = 8;
/** A component that stops waits no longer than this for its events. */
const FLUSH_MAX_MS = 3_000;

/** Options of {@link EventQueue}. */
export interface EventQueueOptions {
  readonly clock: Clock;
  readonly max?: number;
  /** Called when the queue begins to drop, with 0, and when it is empty again, with the number of dropped ones. */
  readonly onDropped?: (dropped: number) => void;
}

interface Task {
  /** Writes of one event happen one after the other. */
  readonly key: string;
  write(): Promise<void>;
}

/** Writes events in order, a few at a time, best effort. */
export class EventQueue {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #onDropped: (dropped: number) => void;
  /** In order. */
  readonly #tasks = new Set<Task>();
  readonly #first = new OldestFirst(this.#tasks);
  readonly #busy = new Map<string, Promise<void>>();
  readonly #idle: (() => void)[] = [];
  #writers = 0;
  #dropped = 0;
  #flushes = 0;
  #hurry = new AbortController();

  constructor({ clock, max = PENDING_MAX, onDropped = () => {} }: EventQueueOptions) {
    this.#clock = clock;
    this.#max = max;
    this.#onDropped = onDropped;
  }

  /** False when too many wait already. */
  push(key: string, write: () => Promise<void>): boolean {
    if (this.#tasks.size >= this.#max) {
      if (this.#dropped++ === 0) this.#onDropped(0);
      return false;
    }
    this.#tasks.add({ key, write });
    if (this.#writers < WRITERS) {
      this.#writers++;
      // Never rejects.
      void this.#run();
    }
    return true;
  }

  /** Resolves when everything is written or given up: what has not begun in three seconds, or meets no server, is. */
  async flush(): Promise<void> {
    this.#flushes++;
    this.#hurry.abort();
    const timer = this.#clock.setTimeout(() => this.#giveUp(), FLUSH_MAX_MS);
    if (this.#writers > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    timer.clear();
    if (--this.#flushes === 0) this.#hurry = new AbortController();
  }

  #giveUp(): void {
    this.#dropped += this.#tasks.size;
    this.#tasks.clear();
  }

  async #run(): Promise<void> {
    // Lets a burst gather: repetitions of an event that is not written yet cost nothing.
    await Promise.resolve();
    for (let task = this.#next(); task !== undefined; task = this.#next()) {
      const { key } = task;
      const before = this.#busy.get(key);
      const written = before === undefined ? this.#attempt(task) : before.then(() => this.#attempt(task));
      this.#busy.set(key, written);
      await written;
      if (this.#busy.get(key) === written) this.#busy.delete(key);
    }
    if (--this.#writers > 0) return;
    if (this.#dropped > 0) this.#onDropped(this.#dropped);
    this.#dropped = 0;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #next(): Task | undefined {
    const task = this.#first.next();
    if (task !== undefined) this.#tasks.delete(task);
    return task;
  }

  async #attempt({ write }: Task): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await write();
      } catch (error) {
        noteDefect("an event's recorder", error);
        // The server has answered: the namespace may be going. It would say the same again.
        if (error instanceof StatusError || attempt === ATTEMPTS_MAX || this.#hurry.signal.aborted) return;
      }
      try {
        await this.#clock.sleep(RETRY_MS, this.#hurry.signal);
      } catch {
        return;
      }
    }
  }
}
