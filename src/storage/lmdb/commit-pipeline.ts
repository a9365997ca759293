import { StorageError } from "../kv.ts";
import { closed } from "../storage-errors.ts";
import type { LmdbFiles } from "./lmdb-files.ts";

/** Steps in one commit, at most: bounds what a commit holds in memory and how long it takes. */
const COMMIT_STEPS_MAX = 4096;

interface Step {
  readonly apply: (() => void) | undefined;
  readonly resolve: () => void;
  readonly reject: (error: StorageError) => void;
}

/**
 * Group commit: steps are applied in the order they were added, all that wait go into one durable transaction, and the
 * next transaction begins when the last is on the disk. After a failed commit nothing more is accepted: what memory
 * holds would differ from the disk.
 */
export class CommitPipeline {
  readonly #files: LmdbFiles;
  readonly #onCommitted: () => void;
  readonly #onBroken: (error: StorageError) => void;
  #waiting: Step[] = [];
  #running: Promise<void> | undefined;
  #broken: StorageError | undefined;

  constructor(options: { files: LmdbFiles; onCommitted: () => void; onBroken: (error: StorageError) => void }) {
    this.#files = options.files;
    this.#onCommitted = options.onCommitted;
    this.#onBroken = options.onBroken;
  }

  get broken(): StorageError | undefined {
    return this.#broken;
  }

  /** `apply` makes the step's writes; resolves when they are durable. Without `apply`, waits for the steps before it. */
  add(apply?: () => void): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ apply, resolve, reject });
      // Steps of the same turn share a commit.
      this.#running ??= Promise.resolve().then(() => this.#run());
    });
  }

  /** Refuses new steps and waits for those that were added. */
  async close(): Promise<void> {
    this.#broken ??= closed();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const steps = this.#waiting.splice(0, COMMIT_STEPS_MAX);
      try {
        await this.#files.root.batch(() => {
          for (const step of steps) step.apply?.();
        });
      } catch (error) {
        this.#fail(error, steps);
        break;
      }
      this.#files.refresh();
      this.#onCommitted();
      for (const step of steps) step.resolve();
    }
    this.#running = undefined;
  }

  #fail(cause: unknown, steps: readonly Step[]): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const error = new StorageError("Unavailable", `the data could not be written: ${reason}`);
    this.#broken = error;
    this.#onBroken(error);
    for (const step of [...steps, ...this.#waiting.splice(0)]) step.reject(error);
  }
}
