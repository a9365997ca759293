import type { Clock } from "#base/clock.ts";
import type { NextTurn } from "#base/turn.ts";
import { prefixEnd, rangeStart, sortKey } from "../key-order.ts";
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
import { OrderedTree } from "./ordered-tree.ts";
import { SharedTurn } from "./shared-turn.ts";

/** Revisions that can be read and watched without a compaction, by default; older ones are compacted by themselves. */
export const HISTORY_REVISIONS_MAX = 20_000;

interface Snapshot {
  readonly tree: OrderedTree<KeyValue>;
  /** What made this revision; absent for the first. */
  readonly event: WatchEvent | undefined;
}

/**
 * The store in memory: a persistent tree per revision, so that every revision kept is a snapshot. Writes take effect and
 * reach the watches before `txn` returns.
 */
export class MemoryStore implements KVStore {
  readonly features: StoreFeatures = { durable: false, shared: false };
  readonly #hub: WatchHub = new WatchHub();
  readonly #leases: LeaseTable;
  readonly #historyMax: number;
  readonly #answers: SharedTurn | undefined;
  /** `#history[i]` is revision `#oldest + i`; the last one is the present. */
  #history: Snapshot[] = [{ tree: new OrderedTree(), event: undefined }];
  #oldest = 1;
  #closed = false;

  /** With `nextTurn` the writes of one turn of the event loop are answered together, in the next; else each at once. */
  constructor(options: { clock: Clock; historyRevisionsMax?: number; nextTurn?: NextTurn }) {
    this.#answers = options.nextTurn && new SharedTurn(options.nextTurn);
    this.#historyMax = options.historyRevisionsMax ?? HISTORY_REVISIONS_MAX;
    this.#leases = new LeaseTable({ clock: options.clock, onExpire: (id) => this.#endLease(id) });
  }

  async currentRevision(): Promise<number> {
    this.#checkOpen();
    return this.#revision();
  }

  async get(key: string, options?: { readonly revision?: number }): Promise<GetResult> {
    return { kv: this.#at(options?.revision).get(sortKey(key)), revision: this.#revision() };
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListResult> {
    const tree = this.#at(options.revision);
    const start = sortKey(rangeStart(prefix, options.startKey));
    const end = endOf(prefix);
    const kvs = tree.range(start, end, options.limit);
    const remaining = options.limit === undefined ? 0 : tree.countRange(start, end) - kvs.length;
    return { kvs, remaining, revision: options.revision ?? this.#revision() };
  }

  async count(prefix: string): Promise<number> {
    return this.#at(undefined).countRange(sortKey(prefix), endOf(prefix));
  }

  async txn(request: TxnRequest): Promise<TxnResult> {
    this.#checkOpen();
    const { key, put } = request;
    if (put !== undefined) checkValueSize(put.value);
    const lease = put?.lease ?? 0;
    if (lease !== 0 && !this.#leases.has(lease)) throw new StorageError("LeaseNotFound", "requested lease not found");
    const current = this.#present().get(sortKey(key));
    if ((current?.modRevision ?? 0) !== request.expectedModRevision) {
      return { succeeded: false, revision: this.#revision(), current };
    }
    if (put !== undefined) this.#put(key, put.value, lease, current);
    else if (current !== undefined) this.#delete(current);
    const result: TxnResult = { succeeded: true, revision: this.#revision() };
    await this.#answers?.next();
    return result;
  }

  watch(prefix: string, options: WatchOptions): void {
    const first = options.startRevision ?? this.#revision() + 1;
    // Not before the caller has its return value; no write can come between the replay and what follows.
    queueMicrotask(() => this.#startWatch(prefix, options, first));
  }

  async compact(revision: number): Promise<void> {
    this.#checkOpen();
    if (revision > this.#revision()) throw futureRevision();
    this.#forgetBefore(revision);
  }

  async grantLease(ttlSeconds: number): Promise<number> {
    this.#checkOpen();
    const id = this.#leases.nextId();
    this.#leases.add(id, ttlSeconds);
    return id;
  }

  async keepLeaseAlive(id: number): Promise<void> {
    this.#checkOpen();
    this.#leases.keepAlive(id);
  }

  async revokeLease(id: number): Promise<void> {
    this.#checkOpen();
    this.#endLease(id);
  }

  async leases(): Promise<readonly AttachedLease[]> {
    this.#checkOpen();
    return this.#leases.all();
  }

  async checkHealth(): Promise<void> {
    this.#checkOpen();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#leases.clear();
    this.#hub.end(closed());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw closed();
  }

  #revision(): number {
    return this.#oldest + this.#history.length - 1;
  }

  #present(): OrderedTree<KeyValue> {
    return (this.#history.at(-1) as Snapshot).tree;
  }

  #at(revision: number | undefined): OrderedTree<KeyValue> {
    this.#checkOpen();
    if (revision === undefined) return this.#present();
    if (revision > this.#revision()) throw futureRevision();
    const snapshot = this.#history[revision - this.#oldest];
    if (snapshot === undefined) throw compacted(this.#oldest);
    return snapshot.tree;
  }

  #put(key: string, value: Uint8Array, lease: number, previous: KeyValue | undefined): void {
    const revision = this.#revision() + 1;
    const createRevision = previous?.createRevision ?? revision;
    const kv: KeyValue = { key, value, createRevision, modRevision: revision, version: (previous?.version ?? 0) + 1, lease };
    this.#leases.attach(key, previous?.lease ?? 0, lease);
    this.#commit(this.#present().with(sortKey(key), kv), { type: "put", key, kv, revision });
  }

  #delete(kv: KeyValue): void {
    const revision = this.#revision() + 1;
    this.#leases.attach(kv.key, kv.lease, 0);
    this.#commit(this.#present().without(sortKey(kv.key)), { type: "delete", key: kv.key, revision });
  }

  #commit(tree: OrderedTree<KeyValue>, event: WatchEvent): void {
    this.#history.push({ tree, event });
    // Trimming in steps keeps the cost of shifting the array small.
    if (this.#history.length > this.#historyMax * 1.25) this.#forgetBefore(event.revision - this.#historyMax + 1);
    this.#hub.dispatch({ events: [event], revision: event.revision });
  }

  #forgetBefore(revision: number): void {
    if (revision <= this.#oldest) return;
    this.#history = this.#history.slice(revision - this.#oldest);
    this.#oldest = revision;
  }

  #startWatch(prefix: string, options: WatchOptions, first: number): void {
    if (options.signal.aborted) return;
    if (!this.#closed && first < this.#oldest) {
      options.onError(compacted(this.#oldest));
      return;
    }
    const events: WatchEvent[] = [];
    for (let i = first - this.#oldest; i < this.#history.length; i++) {
      const event = this.#history[i]?.event;
      if (event?.key.startsWith(prefix)) events.push(event);
    }
    const revision = this.#revision();
    this.#hub.start(prefix, options, () => {
      if (events.length > 0) options.onEvents(events, revision);
    });
  }

  #endLease(id: number): void {
    for (const key of this.#leases.remove(id)) {
      const kv = this.#present().get(sortKey(key));
      if (kv !== undefined) this.#delete(kv);
    }
  }
}

function endOf(prefix: string): string | undefined {
  const end = prefixEnd(prefix);
  return end === undefined ? undefined : sortKey(end);
}
