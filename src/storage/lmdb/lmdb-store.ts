import type { Clock } from "#base/clock.ts";
import type { FileLock } from "#base/file-lock.ts";
import { prefixEnd, rangeStart } from "../key-order.ts";
import {
  type AttachedLease,
  type GetResult,
  type KeyValue,
  type KVStore,
  type ListOptions,
  type ListResult,
  StorageError,
  type StoreFeatures,
  type TxnRequest,
  type TxnResult,
  type WatchEvent,
  type WatchOptions,
} from "../kv.ts";
import { LeaseTable } from "../lease-table.ts";
import { checkValueSize, closed, compacted, futureRevision } from "../storage-errors.ts";
import { WatchHub } from "../watch-hub.ts";
import { sweepHistory } from "./compaction.ts";
import { Journal } from "./journal.ts";
import { KEY_BYTES_MAX, type LmdbFiles } from "./lmdb-files.ts";
import { writeStep } from "./log-step.ts";
import { decodeIndexEntry, type WriteHeader, type WriteRecord } from "./record.ts";
import { replayWrites } from "./replay.ts";
import type { WriteAheadLog } from "./write-ahead-log.ts";

/**
 * Embedded store on LMDB behind a log. Every decision is made in one thread against what is in LMDB or on its way there. A write is
 * durable, and seen, when the log has it; LMDB gets it later, and who reads there waits for that.
 */
export class LmdbStore implements KVStore {
  readonly features: StoreFeatures = { durable: true, shared: false };
  readonly #files: LmdbFiles;
  readonly #lock: FileLock;
  readonly #hub: WatchHub = new WatchHub();
  readonly #leases: LeaseTable;
  readonly #journal: Journal;
  /** The newest revision given to a write. */
  #revision: number;
  #compactRevision: number;
  #sweep: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(options: { files: LmdbFiles; log: WriteAheadLog; lock: FileLock; clock: Clock }) {
    const { files, log, clock } = options;
    this.#files = files;
    this.#lock = options.lock;
    this.#revision = files.lastRevision();
    this.#compactRevision = files.compactRevision();
    this.#leases = new LeaseTable({
      clock,
      // A store that broke meanwhile keeps the lease; it ends after the next start.
      onExpire: (id) => void this.#endLease(id).catch(() => undefined),
    });
    this.#journal = new Journal({
      files,
      log,
      clock,
      onEvents: (batch) => this.#hub.dispatch(batch),
      onBroken: (error) => this.#hub.end(error),
    });
    this.#loadLeases();
    this.#startSweep();
  }

  async currentRevision(): Promise<number> {
    this.#checkOpen();
    return this.#journal.committed;
  }

  async get(key: string, options?: { readonly revision?: number }): Promise<GetResult> {
    let revision = this.#readRevision(options?.revision);
    let write = this.#journal.unapplied.newest(key);
    if (write === undefined || write.kv.modRevision > revision) {
      // Without a write that LMDB does not have, it has the newest.
      if (write !== undefined) revision = await this.#appliedRevision(options?.revision);
      const entry = this.#files.entry(key);
      write = entry === undefined ? undefined : this.#files.writeAt(entry, revision);
    }
    return { kv: write?.deleted === false ? write.kv : undefined, revision: this.#journal.committed };
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListResult> {
    const revision = await this.#appliedRevision(options.revision);
    const limit = options.limit ?? Number.POSITIVE_INFINITY;
    const kvs: KeyValue[] = [];
    let remaining = 0;
    for (const { value } of this.#files.index.getRange(range(rangeStart(prefix, options.startKey), prefix))) {
      const entry = decodeIndexEntry(value);
      if (kvs.length >= limit && entry.modRevision <= revision) {
        if (!entry.deleted) remaining += 1;
        continue;
      }
      const write = this.#files.writeAt(entry, revision);
      if (write === undefined || write.deleted) continue;
      if (kvs.length < limit) kvs.push(write.kv);
      else remaining += 1;
    }
    return { kvs, remaining, revision };
  }

  async count(prefix: string): Promise<number> {
    await this.#appliedRevision(undefined);
    let count = 0;
    for (const { value } of this.#files.index.getRange(range(prefix, prefix))) if (!decodeIndexEntry(value).deleted) count += 1;
    return count;
  }

  async txn(request: TxnRequest): Promise<TxnResult> {
    this.#checkOpen();
    const { key, put } = request;
    if (put !== undefined) checkValueSize(put.value);
    if (Buffer.byteLength(key) > KEY_BYTES_MAX) throw new StorageError("TooLarge", "etcdserver: request is too large");
    const lease = put?.lease ?? 0;
    if (lease !== 0 && !this.#leases.has(lease)) throw new StorageError("LeaseNotFound", "requested lease not found");
    const last = this.#lastWrite(key);
    const found = last?.deleted === false ? last.kv.modRevision : 0;
    if (found !== request.expectedModRevision) {
      const current = found === 0 ? undefined : this.#kvAt(key, found);
      // The answer tells of a write that may not be durable yet.
      if ((last?.kv.modRevision ?? 0) > this.#journal.committed) await this.#journal.add();
      return { succeeded: false, revision: this.#journal.committed, current };
    }
    if (put !== undefined) {
      return { succeeded: true, revision: await this.#write(key, last, { value: put.value, lease }) };
    }
    if (found === 0) return { succeeded: true, revision: this.#journal.committed };
    return { succeeded: true, revision: await this.#write(key, last, undefined) };
  }

  watch(prefix: string, options: WatchOptions): void {
    const first = options.startRevision ?? this.#journal.committed + 1;
    // Not before the caller has its return value; no commit can come between what is told of before and what follows.
    queueMicrotask(() => this.#startWatch(prefix, options, first));
  }

  async compact(revision: number): Promise<void> {
    this.#checkOpen();
    if (revision > this.#journal.committed) throw futureRevision();
    if (revision <= this.#compactRevision) return;
    this.#compactRevision = revision;
    await this.#journal.add({ kind: "compact", revision });
    this.#startSweep();
    await this.#sweep;
  }

  async grantLease(ttlSeconds: number): Promise<number> {
    this.#checkOpen();
    const id = this.#leases.nextId();
    this.#leases.add(id, ttlSeconds);
    await this.#journal.add({ kind: "grantLease", id, ttlSeconds });
    return id;
  }

  async keepLeaseAlive(id: number): Promise<void> {
    this.#checkOpen();
    this.#leases.keepAlive(id);
  }

  async revokeLease(id: number): Promise<void> {
    this.#checkOpen();
    await this.#endLease(id);
  }

  async leases(): Promise<readonly AttachedLease[]> {
    this.#checkOpen();
    return this.#leases.all();
  }

  async raiseRevision(revision: number): Promise<void> {
    this.#checkOpen();
    if (revision <= this.#revision) return;
    this.#revision = revision;
    // What stands for the newest revision when nothing has been written since.
    this.#compactRevision = revision;
    await this.#journal.add({ kind: "compact", revision });
    this.#startSweep();
    await this.#sweep;
  }

  async checkHealth(): Promise<void> {
    this.#checkOpen();
    this.#files.meta.get("format");
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#leases.clear();
    await this.#journal.close();
    this.#hub.end(closed());
    await this.#sweep;
    await this.#files.root.close();
    await this.#lock.release();
  }

  #checkOpen(): void {
    if (this.#journal.broken !== undefined) throw this.#journal.broken;
  }

  #readRevision(revision: number | undefined): number {
    this.#checkOpen();
    if (revision === undefined) return this.#journal.committed;
    if (revision > this.#journal.committed) throw futureRevision();
    if (revision < this.#compactRevision) throw compacted(this.#compactRevision);
    return revision;
  }

  /** Resolves with `wanted`, or else with the newest revision, when LMDB can be asked about it. */
  async #appliedRevision(wanted: number | undefined): Promise<number> {
    const revision = this.#readRevision(wanted);
    if (revision <= this.#journal.applied) return revision;
    await this.#journal.apply();
    // History may have been forgotten meanwhile.
    return wanted === undefined ? this.#journal.applied : this.#readRevision(wanted);
  }

  #lastWrite(key: string): WriteHeader | undefined {
    return this.#journal.unapplied.newest(key) ?? this.#files.lastHeader(key);
  }

  /** What the key's last write, which is this one, has written. */
  #kvAt(key: string, revision: number): KeyValue | undefined {
    return (this.#journal.unapplied.newest(key) ?? this.#files.write(revision))?.kv;
  }

  /** Gives the write its revision at once and resolves with it when it is durable. Without `put` the key is deleted. */
  #write(key: string, last: WriteHeader | undefined, put: { value: Uint8Array; lease: number } | undefined): Promise<number> {
    this.#revision += 1;
    const revision = this.#revision;
    const previous = last?.deleted === false ? last.kv : undefined;
    const lease = put?.lease ?? 0;
    const kv: KeyValue = {
      key,
      value: put?.value ?? new Uint8Array(0),
      createRevision: previous?.createRevision ?? revision,
      modRevision: revision,
      version: put === undefined ? 0 : (previous?.version ?? 0) + 1,
      lease,
    };
    const record: WriteRecord = { deleted: put === undefined, previousRevision: last?.kv.modRevision ?? 0, kv };
    this.#journal.unapplied.add(record);
    const event: WatchEvent = put === undefined ? { type: "delete", key, revision } : { type: "put", key, kv, revision };
    const oldLease = previous?.lease ?? 0;
    this.#leases.attach(key, oldLease, lease);
    return this.#journal.add(writeStep(record, oldLease), event).then(() => revision);
  }

  #startWatch(prefix: string, options: WatchOptions, first: number): void {
    if (options.signal.aborted) return;
    const error = this.#journal.broken ?? (first < this.#compactRevision ? compacted(this.#compactRevision) : undefined);
    if (error !== undefined) {
      options.onError(error);
      return;
    }
    this.#hub.start(prefix, options, () => {
      if (first <= this.#journal.applied) replayWrites(this.#files, { prefix, first, last: this.#journal.applied }, options);
      const events = this.#journal.unapplied.eventsFrom(first).filter(({ key }) => key.startsWith(prefix));
      if (events.length > 0 && !options.signal.aborted) options.onEvents(events, this.#journal.committed);
    });
  }

  async #endLease(id: number): Promise<void> {
    const steps: Promise<unknown>[] = [];
    for (const key of this.#leases.remove(id)) {
      const last = this.#lastWrite(key);
      if (last?.deleted === false) steps.push(this.#write(key, last, undefined));
    }
    steps.push(this.#journal.add({ kind: "endLease", id }));
    await Promise.all(steps);
  }

  #loadLeases(): void {
    for (const { key, value } of this.#files.leases.getRange()) {
      // A lease sorts before its keys, and starts anew with its full time.
      if (typeof key === "number") this.#leases.add(key, value);
    }
    for (const key of this.#files.leases.getKeys()) if (typeof key !== "number") this.#leases.attach(key[1], 0, key[0]);
  }

  #startSweep(): void {
    this.#sweep = this.#sweep
      .then(() => sweepHistory(this.#files, this.#journal))
      // A store that fails or closes meanwhile says so to its callers; the sweep goes on after the next start.
      .catch(() => undefined);
  }
}

function range(start: string, prefix: string): { start: string; end?: string } {
  const end = prefixEnd(prefix);
  return end === undefined ? { start } : { start, end };
}
