import type { Clock, Timer } from "#base/clock.ts";
import type { StorageError } from "../kv.ts";
import { closed, notWritten } from "../storage-errors.ts";
import type { LmdbFiles } from "./lmdb-files.ts";
import type { LogGroup } from "./log-group.ts";
import { applyGroups, takeGroups } from "./recovery.ts";

/** How long a durable step may wait for others before LMDB gets them. */
const DELAY_MS = 500;
/** Steps that LMDB gets without waiting for more. */
const STEPS_DUE = 512;
/** Steps after which a transaction takes no further group: handing them over holds the event loop for some milliseconds. */
const TRANSACTION_STEPS = 512;

interface Waiter {
  readonly until: number;
  readonly resolve: () => void;
  readonly reject: (error: StorageError) => void;
}

/**
 * Brings what the log has into LMDB, in the background and in few transactions: one for many writes costs little more than one for a
 * single write. It is done early for who waits for it. After a failed transaction nothing more is done.
 */
export class Applier {
  readonly #files: LmdbFiles;
  readonly #clock: Clock;
  readonly #onApplied: (groups: readonly LogGroup[]) => void;
  readonly #onBroken: (error: StorageError) => void;
  #queue: LogGroup[] = [];
  /** Steps in the queue. */
  #steps = 0;
  #newest: number;
  #applied: number;
  /** Groups up to here are to be applied without delay. */
  #wanted: number;
  #waiters: Waiter[] = [];
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #broken: StorageError | undefined;

  constructor(options: {
    readonly files: LmdbFiles;
    readonly clock: Clock;
    /** LMDB has the groups, and they are on the disk. */
    readonly onApplied: (groups: readonly LogGroup[]) => void;
    readonly onBroken: (error: StorageError) => void;
  }) {
    this.#files = options.files;
    this.#applied = options.files.appliedGroup();
    this.#newest = this.#applied;
    this.#wanted = this.#applied;
    this.#clock = options.clock;
    this.#onApplied = options.onApplied;
    this.#onBroken = options.onBroken;
  }

  /** The group is durable in the log. Groups come in order. */
  add(group: LogGroup): void {
    this.#queue.push(group);
    this.#steps += group.steps.length;
    this.#newest = group.sequence;
    if (this.#steps >= STEPS_DUE) this.#want(group.sequence);
    else this.#timer ??= this.#clock.setTimeout(() => this.#want(this.#newest), DELAY_MS, { unref: true });
  }

  /** Resolves when LMDB has the groups up to `until`; all that were added, without it. */
  reach(until: number = this.#newest): Promise<void> {
    if (this.#applied >= until || this.#newest <= this.#applied) return Promise.resolve();
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    this.#want(until);
    return new Promise((resolve, reject) => this.#waiters.push({ until, resolve, reject }));
  }

  /** Changes LMDB beside what the log holds, in a transaction of its own. */
  async change(task: () => void): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken;
    await this.#files.change(task);
  }

  /** Applies what was added, and nothing afterwards. */
  async close(): Promise<void> {
    await this.reach().catch(() => undefined);
    this.#broken ??= closed();
    this.#timer?.clear();
    await this.#running;
  }

  #want(until: number): void {
    this.#wanted = Math.max(this.#wanted, until);
    if (this.#applied < this.#wanted) this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    this.#timer?.clear();
    this.#timer = undefined;
    while (this.#applied < this.#wanted && this.#broken === undefined) {
      const groups = takeGroups(this.#queue, TRANSACTION_STEPS);
      for (const { steps } of groups) this.#steps -= steps.length;
      try {
        await applyGroups(this.#files, groups);
      } catch (error) {
        this.#fail(notWritten(error));
        break;
      }
      this.#applied = groups.at(-1)?.sequence ?? this.#applied;
      this.#onApplied(groups);
      this.#resolveWaiters();
    }
    this.#running = undefined;
  }

  #resolveWaiters(): void {
    const waiters = this.#waiters;
    this.#waiters = waiters.filter(({ until }) => until > this.#applied);
    for (const { until, resolve } of waiters) if (until <= this.#applied) resolve();
  }

  #fail(error: StorageError): void {
    this.#broken = error;
    this.#onBroken(error);
    for (const { reject } of this.#waiters.splice(0)) reject(error);
  }
}
