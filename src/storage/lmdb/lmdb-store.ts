import { join } from "node:path";
import type { Clock } from "#base/clock.ts";
import { acquireFileLock, type FileLock } from "#base/file-lock.ts";
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
import { CommitPipeline } from "./commit-pipeline.ts";
import { sweepHistory } from "./compaction.ts";
import { checkDataFile, unusable } from "./data-file.ts";
import { KEY_BYTES_MAX, LmdbFiles } from "./lmdb-files.ts";
import { decodeIndexEntry, encodeIndexEntry, encodeRecord, type WriteRecord } from "./record.ts";
import { replayWrites } from "./replay.ts";

/**
 * Opens the durable store in a directory, making it if needed. Rejects with `Unavailable` when another process has it
 * open, or when its data cannot be read.
 */
export async function openLmdbStore(options: { dir: string; clock: Clock }): Promise<KVStore> {
  await checkDataFile(options.dir);
  let lock: FileLock;
  try {
    lock = await acquireFileLock(join(options.dir, "process.lock"));
  } catch (error) {
    throw unusable(options.dir, error);
  }
  try {
    const files = new LmdbFiles(options.dir);
    await files.checkFormat();
    return new LmdbStore({ files, lock, clock: options.clock });
  } catch (error) {
    await lock.release();
    throw unusable(options.dir, error);
  }
}

/** Embedded store on LMDB. Every decision is made in one thread against what is committed or on its way there. */
class LmdbStore implements KVStore {
  readonly features: StoreFeatures = { durable: true, shared: false };
  readonly #files: LmdbFiles;
  readonly #lock: FileLock;
  readonly #hub: WatchHub = new WatchHub();
  readonly #leases: LeaseTable;
  readonly #pipeline: CommitPipeline;
  /** The last write to each key among those not yet committed. */
  readonly #pending: Map<string, WriteRecord> = new Map();
  /** Events of the writes not yet committed, in order. */
  #uncommitted: WatchEvent[] = [];
  /** How many of `#uncommitted` the running commit has taken. */
  #applied = 0;
  /** The newest revision given to a write. */
  #revision: number;
  /** The newest durable revision: what readers see. */
  #committed: number;
  #compactRevision: number;
  #sweep: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(options: { files: LmdbFiles; lock: FileLock; clock: Clock }) {
    this.#files = options.files;
    this.#lock = options.lock;
    this.#revision = options.files.lastRevision();
    this.#committed = this.#revision;
    this.#compactRevision = options.files.compactRevision();
    this.#leases = new LeaseTable({
      clock: options.clock,
      // A store that broke meanwhile keeps the lease; it ends after the next start.
      onExpire: (id) => void this.#endLease(id).catch(() => undefined),
    });
    this.#pipeline = new CommitPipeline({
      files: options.files,
      onCommitted: () => this.#onCommitted(),
      onBroken: (error) => this.#hub.end(error),
    });
    this.#loadLeases();
    this.#startSweep();
  }

  async currentRevision(): Promise<number> {
    this.#checkOpen();
    return this.#committed;
  }

  async get(key: string, options?: { readonly revision?: number }): Promise<GetResult> {
    const revision = this.#readRevision(options?.revision);
    const entry = this.#files.entry(key);
    const write = entry === undefined ? undefined : this.#files.writeAt(entry, revision);
    return { kv: write?.deleted === false ? write.kv : undefined, revision: this.#committed };
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListResult> {
    const revision = this.#readRevision(options.revision);
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
    this.#checkOpen();
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
    const current = last?.deleted === false ? last.kv : undefined;
    if ((current?.modRevision ?? 0) !== request.expectedModRevision) {
      // The answer tells of a write that may not be durable yet.
      if (this.#pending.has(key)) await this.#pipeline.add();
      return { succeeded: false, revision: this.#committed, current };
    }
    if (put !== undefined) {
      const revision = await this.#write(key, last, { value: put.value, lease });
      return { succeeded: true, revision, previous: current };
    }
    if (current === undefined) return { succeeded: true, revision: this.#committed, previous: undefined };
    return { succeeded: true, revision: await this.#write(key, last, undefined), previous: current };
  }

  watch(prefix: string, options: WatchOptions): void {
    const first = options.startRevision ?? this.#committed + 1;
    // Not before the caller has its return value; no commit can come between the replay and what follows.
    queueMicrotask(() => this.#startWatch(prefix, options, first));
  }

  async compact(revision: number): Promise<void> {
    this.#checkOpen();
    if (revision > this.#committed) throw futureRevision();
    if (revision <= this.#compactRevision) return;
    this.#compactRevision = revision;
    await this.#pipeline.add(() => void this.#files.meta.put("compactRevision", revision));
    this.#startSweep();
    await this.#sweep;
  }

  async grantLease(ttlSeconds: number): Promise<number> {
    this.#checkOpen();
    const id = this.#leases.nextId();
    this.#leases.add(id, ttlSeconds);
    await this.#pipeline.add(() => void this.#files.leases.put(id, ttlSeconds));
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
    await this.#pipeline.add(() => void this.#files.meta.put("compactRevision", revision));
    this.#committed = Math.max(this.#committed, revision);
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
    await this.#pipeline.close();
    this.#hub.end(closed());
    await this.#sweep;
    await this.#files.root.close();
    await this.#lock.release();
  }

  #checkOpen(): void {
    if (this.#pipeline.broken !== undefined) throw this.#pipeline.broken;
  }

  #readRevision(revision: number | undefined): number {
    this.#checkOpen();
    if (revision === undefined) return this.#committed;
    if (revision > this.#committed) throw futureRevision();
    if (revision < this.#compactRevision) throw compacted(this.#compactRevision);
    return revision;
  }

  #lastWrite(key: string): WriteRecord | undefined {
    const pending = this.#pending.get(key);
    if (pending !== undefined) return pending;
    const entry = this.#files.entry(key);
    return entry === undefined ? undefined : this.#files.write(entry.modRevision);
  }

  /** Gives the write its revision at once and resolves with it when it is durable. Without `put` the key is deleted. */
  #write(key: string, last: WriteRecord | undefined, put: { value: Uint8Array; lease: number } | undefined): Promise<number> {
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
    this.#pending.set(key, record);
    if (put !== undefined) this.#uncommitted.push({ type: "put", key, kv, previous, revision });
    else if (previous !== undefined) this.#uncommitted.push({ type: "delete", key, kv: previous, previous: undefined, revision });
    const oldLease = previous?.lease ?? 0;
    this.#leases.attach(key, oldLease, lease);
    const { writes, index, leases } = this.#files;
    return this.#pipeline
      .add(() => {
        this.#applied += 1;
        void writes.put(revision, encodeRecord(record));
        void index.put(key, encodeIndexEntry({ modRevision: revision, deleted: record.deleted }));
        if (oldLease === lease) return;
        if (oldLease !== 0) void leases.remove([oldLease, key]);
        if (lease !== 0) void leases.put([lease, key], 0);
      })
      .then(() => revision);
  }

  #onCommitted(): void {
    if (this.#applied === 0) return;
    const events = this.#uncommitted.slice(0, this.#applied);
    this.#uncommitted = this.#uncommitted.slice(this.#applied);
    this.#applied = 0;
    for (const { key, revision } of events) if (this.#pending.get(key)?.kv.modRevision === revision) this.#pending.delete(key);
    this.#committed = events.at(-1)?.revision ?? this.#committed;
    this.#hub.dispatch({ events, revision: this.#committed });
  }

  #startWatch(prefix: string, options: WatchOptions, first: number): void {
    if (options.signal.aborted) return;
    const error = this.#pipeline.broken ?? (first < this.#compactRevision ? compacted(this.#compactRevision) : undefined);
    if (error !== undefined) {
      options.onError(error);
      return;
    }
    this.#hub.start(prefix, options, () => replayWrites(this.#files, { prefix, first, last: this.#committed }, options));
  }

  async #endLease(id: number): Promise<void> {
    const steps: Promise<unknown>[] = [];
    for (const key of this.#leases.remove(id)) {
      const last = this.#lastWrite(key);
      if (last?.deleted === false) steps.push(this.#write(key, last, undefined));
    }
    steps.push(this.#pipeline.add(() => void this.#files.leases.remove(id)));
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
      .then(() => sweepHistory(this.#files, this.#pipeline, (key) => this.#pending.has(key)))
      // A store that fails or closes meanwhile says so to its callers; the sweep goes on after the next start.
      .catch(() => undefined);
  }
}

function range(start: string, prefix: string): { start: string; end?: string } {
  const end = prefixEnd(prefix);
  return end === undefined ? { start } : { start, end };
}
