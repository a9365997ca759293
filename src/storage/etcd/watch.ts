import { type StorageError, StorageError as StoreFailure, type WatchEvent, type WatchOptions } from "../kv.ts";
import { compacted } from "../storage-errors.ts";
import type { ChangeMessage, WatchAnswer } from "./messages.ts";

interface Waiter {
  readonly revision: number;
  readonly resolve: () => void;
}

/** One watch of a caller: how far it has come, over all the streams that it lives on. */
export class Watch {
  readonly id: number;
  readonly prefix: string;
  readonly options: WatchOptions;
  /** The first revision that is still to be delivered; undefined until the server has said where "from now on" is. */
  next: number | undefined;
  /** The present stream's server has confirmed it. */
  created = false;
  #waiters: Waiter[] = [];
  #collected: ChangeMessage[] = [];

  constructor(id: number, prefix: string, options: WatchOptions) {
    this.id = id;
    this.prefix = prefix;
    this.options = options;
    this.next = options.startRevision;
  }

  /** Resolves when everything up to `revision` is delivered, or the watch has ended. */
  reached(revision: number): Promise<void> | undefined {
    if (this.next !== undefined && this.next > revision) return undefined;
    return new Promise((resolve) => this.#waiters.push({ revision, resolve }));
  }

  /** The server has begun it. */
  begun(revision: number): void {
    this.created = true;
    this.next ??= revision + 1;
    this.#wake();
  }

  /** Takes what the server sent, to be delivered soon. */
  collect(changes: readonly ChangeMessage[]): void {
    for (const change of changes) this.#collected.push(change);
  }

  /** Hands over what was collected; what lies outside the prefix only brings the watch forward. */
  deliver(): void {
    const changes = this.#collected;
    this.#collected = [];
    const events: WatchEvent[] = [];
    let revision = 0;
    for (const change of changes) {
      revision = change.kv?.modRevision ?? 0;
      if (revision >= (this.next ?? 0) && change.kv?.key.startsWith(this.prefix)) events.push(eventOf(change, change.kv));
    }
    this.advance(revision, events);
  }

  /** Nothing (but `events`) has happened up to `revision`. */
  advance(revision: number, events: readonly WatchEvent[] = []): void {
    if (this.options.signal.aborted || revision < (this.next ?? 0)) return;
    this.next = revision + 1;
    try {
      this.options.onEvents(events, revision);
    } catch (error) {
      // One broken watcher must not hold up the others; the failure still surfaces as an uncaught exception.
      queueMicrotask(() => {
        throw error;
      });
    }
    this.#wake();
  }

  /** Lets go of those who wait for it; with an error its caller is told. */
  end(error?: StorageError): void {
    for (const { resolve } of this.#waiters.splice(0)) resolve();
    if (error !== undefined && !this.options.signal.aborted) this.options.onError(error);
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const next = this.next ?? 0;
    const ready = this.#waiters.filter((waiter) => waiter.revision < next);
    if (ready.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => waiter.revision >= next);
    for (const { resolve } of ready) resolve();
  }
}

function eventOf({ deleted }: ChangeMessage, kv: NonNullable<ChangeMessage["kv"]>): WatchEvent {
  const { key, modRevision: revision } = kv;
  return deleted ? { type: "delete", key, revision } : { type: "put", key, kv, revision };
}

/** Why a server ended a watch. */
export function cancellation({ compactRevision, cancelReason }: WatchAnswer): StorageError {
  if (compactRevision > 0) return compacted(compactRevision);
  return new StoreFailure("Unavailable", cancelReason === "" ? "etcd ended the watch" : cancelReason);
}
