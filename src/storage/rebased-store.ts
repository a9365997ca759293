import type {
  AttachedLease,
  GetResult,
  KeyValue,
  KVStore,
  ListOptions,
  ListResult,
  StoreFeatures,
  StoreReport,
  TxnRequest,
  TxnResult,
  WatchEvent,
  WatchOptions,
} from "./kv.ts";

/** A store whose keys under one prefix lie under another in the store behind it; keys elsewhere are left alone. */
export class RebasedStore implements KVStore {
  readonly #store: KVStore;
  readonly #outer: string;
  readonly #inner: string;

  /** Both prefixes end with a slash. */
  constructor(store: KVStore, prefixes: { readonly outer: string; readonly inner: string }) {
    this.#store = store;
    this.#outer = prefixes.outer;
    this.#inner = prefixes.inner;
  }

  get features(): StoreFeatures {
    return this.#store.features;
  }

  currentRevision(): Promise<number> {
    return this.#store.currentRevision();
  }

  async get(key: string, options?: { readonly revision?: number }): Promise<GetResult> {
    const result = await this.#store.get(this.#in(key), options);
    return { ...result, kv: this.#outward(result.kv) };
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListResult> {
    const { startKey, ...rest } = options;
    const inner = startKey === undefined ? rest : { ...rest, startKey: this.#in(startKey) };
    const result = await this.#store.list(this.#in(prefix), inner);
    return { ...result, kvs: result.kvs.map((kv) => this.#out(kv)) };
  }

  count(prefix: string): Promise<number> {
    return this.#store.count(this.#in(prefix));
  }

  async txn(request: TxnRequest): Promise<TxnResult> {
    const result = await this.#store.txn({ ...request, key: this.#in(request.key) });
    if (result.succeeded || result.current === undefined) return result;
    return { ...result, current: this.#out(result.current) };
  }

  watch(prefix: string, options: WatchOptions): void {
    const outward = (event: WatchEvent): WatchEvent => {
      const key = this.#outKey(event.key);
      return event.type === "delete" ? { ...event, key } : { ...event, key, kv: this.#out(event.kv) };
    };
    this.#store.watch(this.#in(prefix), {
      ...options,
      onEvents: (events, revision) => options.onEvents(events.map(outward), revision),
    });
  }

  compact(revision: number): Promise<void> {
    return this.#store.compact(revision);
  }

  grantLease(ttlSeconds: number): Promise<number> {
    return this.#store.grantLease(ttlSeconds);
  }

  keepLeaseAlive(id: number): Promise<void> {
    return this.#store.keepLeaseAlive(id);
  }

  revokeLease(id: number): Promise<void> {
    return this.#store.revokeLease(id);
  }

  async leases(): Promise<readonly AttachedLease[]> {
    const leases = (await this.#store.leases?.()) ?? [];
    return leases.map(({ keys, ...lease }) => ({ ...lease, keys: keys.map((key) => this.#outKey(key)) }));
  }

  checkHealth(timeoutMs?: number): Promise<void> {
    return this.#store.checkHealth(timeoutMs);
  }

  async report(): Promise<StoreReport> {
    return (await this.#store.report?.()) ?? { alarms: [], advice: [] };
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #in(key: string): string {
    return key.startsWith(this.#outer) ? `${this.#inner}${key.slice(this.#outer.length)}` : key;
  }

  #out(kv: KeyValue): KeyValue {
    return kv.key.startsWith(this.#inner) ? { ...kv, key: this.#outKey(kv.key) } : kv;
  }

  #outKey(key: string): string {
    return key.startsWith(this.#inner) ? `${this.#outer}${key.slice(this.#inner.length)}` : key;
  }

  #outward(kv: KeyValue | undefined): KeyValue | undefined {
    return kv && this.#out(kv);
  }
}
