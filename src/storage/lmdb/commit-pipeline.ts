import type { StorageError, WatchEvent } from "../kv.ts";
import { closed, notWritten } from "../storage-errors.ts";
import type { LogGroup } from "./log-group.ts";
import { type LogStep, stepBytes } from "./log-step.ts";
import type { WriteAheadLog } from "./write-ahead-log.ts";

/** Steps in one group, at most: bounds how long LMDB takes over a group. */
const GROUP_STEPS_MAX = 512;
/** Bytes after which a group takes no further step. With the largest value on top it must fit a segment of the log. */
const GROUP_BYTES = 256 * 1024;

interface WaitingStep {
  readonly step: LogStep | undefined;
  readonly event: WatchEvent | undefined;
  readonly resolve: () => void;
  readonly reject: (error: StorageError) => void;
}

/**
 * Group commit: all steps that wait go into one append to the log, in the order they were added, and the next append begins when the
 * last is on the disk. After a failed append nothing more is accepted: what memory holds would differ from the disk.
 */
export class CommitPipeline {
  readonly #log: WriteAheadLog;
  readonly #room: (until: number) => Promise<void>;
  readonly #onCommitted: (group: LogGroup, events: readonly WatchEvent[]) => void;
  readonly #onBroken: (error: StorageError) => void;
  #sequence: number;
  #waiting: WaitingStep[] = [];
  #running: Promise<void> | undefined;
  #broken: StorageError | undefined;

  constructor(options: {
    readonly log: WriteAheadLog;
    /** The newest group of the log. */
    readonly sequence: number;
    /** Resolves when LMDB has the groups up to a sequence. */
    readonly room: (until: number) => Promise<void>;
    /** The group is durable; called before those are answered who added its steps. */
    readonly onCommitted: (group: LogGroup, events: readonly WatchEvent[]) => void;
    readonly onBroken: (error: StorageError) => void;
  }) {
    this.#log = options.log;
    this.#sequence = options.sequence;
    this.#room = options.room;
    this.#onCommitted = options.onCommitted;
    this.#onBroken = options.onBroken;
  }

  get broken(): StorageError | undefined {
    return this.#broken;
  }

  /** Resolves when the step, with the event that it makes, is durable. Without a step, waits for the steps before it. */
  add(step?: LogStep, event?: WatchEvent): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ step, event, resolve, reject });
      // Steps of the same turn share an append.
      this.#running ??= Promise.resolve().then(() => this.#run());
    });
  }

  /** Refuses new steps and waits for those that were added. */
  async close(): Promise<void> {
    this.#broken ??= closed();
    await this.#running;
  }

  /** Nothing more is accepted, and what waits is refused. */
  fail(error: StorageError): void {
    this.#broken = error;
    this.#onBroken(error);
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const taken = this.#take();
      try {
        await this.#commit(taken);
      } catch (error) {
        this.#waiting.unshift(...taken);
        this.fail(notWritten(error));
        break;
      }
      for (const { resolve } of taken) resolve();
    }
    this.#running = undefined;
  }

  #take(): WaitingStep[] {
    let bytes = 0;
    let end = 0;
    for (; end < this.#waiting.length && end < GROUP_STEPS_MAX && bytes < GROUP_BYTES; end++) {
      const step = this.#waiting[end]?.step;
      if (step !== undefined) bytes += stepBytes(step);
    }
    return this.#waiting.splice(0, end);
  }

  async #commit(taken: readonly WaitingStep[]): Promise<void> {
    const steps = taken.flatMap(({ step }) => step ?? []);
    if (steps.length === 0) return;
    this.#sequence += 1;
    const group: LogGroup = { sequence: this.#sequence, steps };
    await this.#log.append(group, this.#room);
    this.#onCommitted(
      group,
      taken.flatMap(({ event }) => event ?? []),
    );
  }
}
