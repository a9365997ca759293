import type { Clock } from "#base/clock.ts";
import type { StorageError, WatchEvent } from "../kv.ts";
import type { EventBatch } from "../watch-hub.ts";
import { Applier } from "./applier.ts";
import { CommitPipeline } from "./commit-pipeline.ts";
import type { LmdbFiles } from "./lmdb-files.ts";
import type { LogGroup } from "./log-group.ts";
import { type LogStep, revisionOf } from "./log-step.ts";
import { UnappliedWrites } from "./unapplied-writes.ts";
import type { WriteAheadLog } from "./write-ahead-log.ts";

/**
 * The way of a step: into the log, where it is durable and may be told of, and from there into LMDB. Knows how far both are, and what
 * lies in between.
 */
export class Journal {
  /** The writes that LMDB does not have. */
  readonly unapplied: UnappliedWrites = new UnappliedWrites();
  readonly #log: WriteAheadLog;
  readonly #pipeline: CommitPipeline;
  readonly #applier: Applier;
  readonly #onEvents: (batch: EventBatch) => void;
  #committed: number;
  #applied: number;

  constructor(options: {
    readonly files: LmdbFiles;
    /** Holds nothing that LMDB does not have. */
    readonly log: WriteAheadLog;
    readonly clock: Clock;
    /** The events are durable. Called before those are answered who made them. */
    readonly onEvents: (batch: EventBatch) => void;
    /** Nothing more is accepted. */
    readonly onBroken: (error: StorageError) => void;
  }) {
    const { files, log, clock } = options;
    this.#log = log;
    this.#onEvents = options.onEvents;
    this.#committed = files.lastRevision();
    this.#applied = this.#committed;
    this.#applier = new Applier({
      files,
      clock,
      onApplied: (groups) => this.#onApplied(groups),
      onBroken: (error) => this.#pipeline.fail(error),
    });
    this.#pipeline = new CommitPipeline({
      log,
      sequence: files.appliedGroup(),
      room: (until) => this.#applier.reach(until),
      onCommitted: (group, events) => this.#onCommitted(group, events),
      onBroken: options.onBroken,
    });
  }

  /** The newest durable revision. */
  get committed(): number {
    return this.#committed;
  }

  /** The newest revision that LMDB has. */
  get applied(): number {
    return this.#applied;
  }

  /** Why nothing more is accepted. */
  get broken(): StorageError | undefined {
    return this.#pipeline.broken;
  }

  /** Resolves when the step, with the event that it makes, is durable. Without a step, waits for the steps before it. */
  add(step?: LogStep, event?: WatchEvent): Promise<void> {
    return this.#pipeline.add(step, event);
  }

  /** Resolves when LMDB has what is durable now. */
  apply(): Promise<void> {
    return this.#applier.reach();
  }

  /** Changes LMDB beside the log, in a transaction of its own. */
  change(task: () => void): Promise<void> {
    return this.#applier.change(task);
  }

  /** Accepts nothing more; what was added is in LMDB afterwards, unless that has failed. */
  async close(): Promise<void> {
    await this.#pipeline.close();
    await this.#applier.close();
    await this.#log.close();
  }

  #onCommitted(group: LogGroup, events: readonly WatchEvent[]): void {
    this.#committed = newestRevision([group], this.#committed);
    this.unapplied.commit(events);
    this.#applier.add(group);
    if (events.length > 0) this.#onEvents({ events, revision: this.#committed });
  }

  #onApplied(groups: readonly LogGroup[]): void {
    this.#applied = newestRevision(groups, this.#applied);
    this.unapplied.apply(this.#applied);
    this.#log.release(groups.at(-1)?.sequence ?? 0);
  }
}

function newestRevision(groups: readonly LogGroup[], before: number): number {
  let newest = before;
  for (const { steps } of groups) for (const step of steps) newest = Math.max(newest, revisionOf(step));
  return newest;
}
