import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import { rangeStart } from "../key-order.ts";
import {
  type AttachedLease,
  type GetResult,
  type KeyValue,
  type KVStore,
  type ListOptions,
  type ListResult,
  StorageError,
  type StoreFeatures,
  type StoreReport,
  type TxnRequest,
  type TxnResult,
  type WatchOptions,
} from "../kv.ts";
import { checkValueSize, closed, compacted } from "../storage-errors.ts";
import { EtcdClient, type EtcdEndpoints } from "./etcd-client.ts";
import { storageError } from "./etcd-error.ts";
import { alarmNames, etcdReport, memberState } from "./etcd-report.ts";
import { LatestCall } from "./latest-call.ts";
import { leaseIds, timeToLive, timeToLiveRequest } from "./lease-messages.ts";
import {
  compactionRequest,
  compareAndSwap,
  emptyRequest,
  keepAliveTtl,
  leaseGrant,
  leaseRequest,
  prefixRange,
  rangeAnswer,
  rangeRequest,
  swapAnswer,
} from "./messages.ts";
import { answersProgressInOrder } from "./progress-support.ts";
import { WatchStream } from "./watch-stream.ts";

const RANGE = "/etcdserverpb.KV/Range";
const TXN = "/etcdserverpb.KV/Txn";
const COMPACT = "/etcdserverpb.KV/Compact";
const GRANT = "/etcdserverpb.Lease/LeaseGrant";
const REVOKE = "/etcdserverpb.Lease/LeaseRevoke";
const LEASES = "/etcdserverpb.Lease/LeaseLeases";
const TIME_TO_LIVE = "/etcdserverpb.Lease/LeaseTimeToLive";
const STATUS = "/etcdserverpb.Maintenance/Status";
const ALARM = "/etcdserverpb.Maintenance/Alarm";
const KEEP_ALIVE = "/etcdserverpb.Lease/LeaseKeepAlive";

/** Keys in one answer to a listing. */
const PAGE_KEYS = 1000;
/** Read to learn the present revision and whether etcd answers; upstream's health check reads the same key. */
const HEALTH_KEY = "/registry/health";
/** As upstream's `--etcd-healthcheck-timeout`. */
const HEALTH_TIMEOUT_MS = 2_000;
/** Longest wait for what a member says of itself. */
const REPORT_TIMEOUT_MS = 3_000;
/** Longest wait for what a member knows of its compactions. */
const COMPACT_REVISION_TIMEOUT_MS = 3_000;

/** What {@link EtcdStore} is made with. */
export interface EtcdStoreOptions extends EtcdEndpoints {
  readonly clock: Clock;
  readonly random: Random;
  /** Which versions of etcd are asked for the progress of watches. Default {@link answersProgressInOrder}. */
  readonly answersProgress?: (version: string) => boolean;
}

/** A write that is under way. */
interface Write {
  readonly value: Uint8Array | undefined;
  /** Lets the next write to its key go on. */
  next: (() => void) | undefined;
}

/** The store on etcd 3.4 and later. Connects when it is first used. Leases end by etcd's clock, at the earliest after its election timeout. */
export class EtcdStore implements KVStore {
  readonly features: StoreFeatures = { durable: true, shared: true };
  readonly #client: EtcdClient;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #watches: WatchStream;
  /** The last write to each key that is under way. */
  readonly #writes = new Map<string, Write>();
  readonly #revision: LatestCall<number> = new LatestCall(() => this.#askRevision());
  #closed = false;

  constructor(options: EtcdStoreOptions) {
    const { clock, random, answersProgress = answersProgressInOrder } = options;
    this.#clock = clock;
    this.#random = random;
    this.#client = new EtcdClient(options, { clock, random });
    const known = (key: string): Uint8Array | undefined => this.#writes.get(key)?.value;
    this.#watches = new WatchStream({ client: this.#client, clock, answersProgress, known });
  }

  async currentRevision(): Promise<number> {
    const revision = await this.#revision.ask();
    this.#watches.expect(revision);
    return revision;
  }

  async get(key: string, options: { readonly revision?: number } = {}): Promise<GetResult> {
    const { kvs, revision } = rangeAnswer(await this.#read(rangeRequest({ start: key }, options), options.revision));
    return { kv: kvs[0], revision };
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListResult> {
    const limit = options.limit ?? Number.POSITIVE_INFINITY;
    const kvs: KeyValue[] = [];
    let start = rangeStart(prefix, options.startKey);
    for (let revision = options.revision; ; ) {
      const request = { revision, limit: Math.min(PAGE_KEYS, limit - kvs.length) };
      const page = rangeAnswer(await this.#read(rangeRequest(prefixRange(prefix, start), request), revision));
      for (const kv of page.kvs) kvs.push(kv);
      // The pages after the first are of its revision.
      revision ??= page.revision;
      const left = page.count - page.kvs.length;
      const last = kvs.at(-1);
      if (left === 0 || kvs.length >= limit || last === undefined) {
        return { kvs, remaining: options.limit === undefined ? 0 : left, revision };
      }
      start = `${last.key}\0`;
    }
  }

  async count(prefix: string): Promise<number> {
    return rangeAnswer(await this.#read(rangeRequest(prefixRange(prefix), { countOnly: true }))).count;
  }

  async txn({ key, expectedModRevision, put }: TxnRequest): Promise<TxnResult> {
    this.#checkOpen();
    if (put !== undefined) checkValueSize(put.value);
    // Calls overtake each other on their way, and what is written to one key is meant in the order in which it was asked for.
    const write: Write = { value: put?.value, next: undefined };
    const before = this.#writes.get(key);
    this.#writes.set(key, write);
    try {
      if (before !== undefined) await over(before);
      const begun = this.#watches.begun(key);
      if (begun !== undefined) await begun;
      const value = put && { value: put.value, lease: put.lease ?? 0 };
      const { revision, succeeded, deleted, kv } = swapAnswer(
        await this.#write(TXN, compareAndSwap(key, expectedModRevision, value)),
      );
      const reached = succeeded && (put !== undefined || deleted > 0);
      const arrival = reached ? this.#watches.reached(key, revision) : this.#watches.expect(revision);
      if (arrival !== undefined) await arrival;
      return succeeded ? { succeeded, revision } : { succeeded, revision, current: kv };
    } finally {
      if (this.#writes.get(key) === write) this.#writes.delete(key);
      write.next?.();
    }
  }

  watch(prefix: string, options: WatchOptions): void {
    if (this.#closed) queueMicrotask(() => options.onError(closed()));
    else this.#watches.add(prefix, options);
  }

  async compact(revision: number): Promise<void> {
    this.#checkOpen();
    try {
      await this.#client.read(COMPACT, compactionRequest(revision));
    } catch (error) {
      const failure = this.#failure(error);
      // Somebody else has forgotten as much already.
      if (!(failure instanceof StorageError) || failure.code !== "Compacted") throw failure;
    }
  }

  async grantLease(ttlSeconds: number): Promise<number> {
    // Ids that etcd makes itself do not fit a number.
    const id = 1 + this.#random.int(Number.MAX_SAFE_INTEGER - 1);
    await this.#write(GRANT, leaseGrant(id, ttlSeconds));
    return id;
  }

  async keepLeaseAlive(id: number): Promise<void> {
    const ttl = keepAliveTtl(await this.#write(KEEP_ALIVE, leaseRequest(id)));
    if (ttl <= 0) throw new StorageError("LeaseNotFound", "requested lease not found");
  }

  async revokeLease(id: number): Promise<void> {
    await this.#write(REVOKE, leaseRequest(id));
  }

  async leases(): Promise<readonly AttachedLease[]> {
    const found: AttachedLease[] = [];
    for (const id of leaseIds(await this.#read(emptyRequest(), 0, LEASES))) {
      const lease = timeToLive(await this.#read(timeToLiveRequest(id), 0, TIME_TO_LIVE));
      // One that has ended meanwhile has -1.
      if (lease.remainingSeconds >= 0) found.push(lease);
    }
    return found;
  }

  async checkHealth(timeoutMs: number = HEALTH_TIMEOUT_MS): Promise<void> {
    const asked = this.#askRevision();
    await new Promise<void>((resolve, reject) => {
      const late = (): void => reject(new StorageError("Unavailable", "etcd did not answer in time"));
      const timer = this.#clock.setTimeout(late, timeoutMs);
      asked.then(() => resolve(), reject).finally(() => timer.clear());
    });
  }

  async report(): Promise<StoreReport> {
    this.#checkOpen();
    const states = await this.#client.each(STATUS, emptyRequest(), REPORT_TIMEOUT_MS);
    const members = states.flatMap(({ url, answer }) => (answer === undefined ? [] : [{ url, ...memberState(answer) }]));
    return etcdReport(alarmNames(await this.#read(emptyRequest(), 0, ALARM)), members);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#watches.close(closed());
    this.#client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw closed();
  }

  async #askRevision(): Promise<number> {
    return rangeAnswer(await this.#read(rangeRequest({ start: HEALTH_KEY }, { countOnly: true }))).revision;
  }

  async #read(frame: Buffer, revision = 0, path: string = RANGE): Promise<Buffer> {
    this.#checkOpen();
    try {
      return await this.#client.read(path, frame);
    } catch (error) {
      const failure = this.#failure(error);
      if (!(failure instanceof StorageError) || failure.code !== "Compacted") throw failure;
      throw compacted(await this.#compactRevision(revision));
    }
  }

  #write(path: string, frame: Buffer): Promise<Buffer> {
    if (this.#closed) return Promise.reject(closed());
    return this.#client.write(path, frame).catch((error: unknown) => {
      throw this.#failure(error);
    });
  }

  #failure(error: unknown): unknown {
    return this.#closed ? closed() : storageError(error);
  }

  /** What can still be read: only a watch that comes too late is told. 0 when that cannot be learned. */
  #compactRevision(tooOld: number): Promise<number> {
    const probe = new AbortController();
    const { promise, resolve } = withResolver<number>();
    this.#watches.add(HEALTH_KEY, {
      startRevision: tooOld,
      signal: probe.signal,
      onEvents: () => undefined,
      onError: (error) => resolve(error.compactRevision),
    });
    const timer = this.#clock.setTimeout(() => resolve(0), COMPACT_REVISION_TIMEOUT_MS, { unref: true });
    return promise.finally(() => {
      timer.clear();
      probe.abort();
    });
  }
}

/** Resolves when a write has ended, however it did. One other waits for it at most. */
function over(write: Write): Promise<void> {
  return new Promise((resolve) => {
    write.next = resolve;
  });
}

function withResolver<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
