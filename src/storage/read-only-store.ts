import {
  type GetResult,
  type KVStore,
  type ListOptions,
  type ListResult,
  StorageError,
  type StoreFeatures,
  type TxnResult,
  type WatchOptions,
} from "./kv.ts";

/** A store that nobody writes to, neither through this nor beside it; keys may still end with their leases. */
export class ReadOnlyStore implements KVStore {
  readonly #store: KVStore;

  constructor(store: KVStore) {
    this.#store = store;
  }

  get features(): StoreFeatures {
    return { ...this.#store.features, shared: false };
  }

  currentRevision(): Promise<number> {
    return this.#store.currentRevision();
  }

  get(key: string, options?: { readonly revision?: number }): Promise<GetResult> {
    return this.#store.get(key, options);
  }

  list(prefix: string, options?: ListOptions): Promise<ListResult> {
    return this.#store.list(prefix, options);
  }

  count(prefix: string): Promise<number> {
    return this.#store.count(prefix);
  }

  txn(): Promise<TxnResult> {
    return refuse();
  }

  watch(prefix: string, options: WatchOptions): void {
    this.#store.watch(prefix, options);
  }

  compact(): Promise<void> {
    return refuse();
  }

  grantLease(): Promise<number> {
    return refuse();
  }

  keepLeaseAlive(): Promise<void> {
    return refuse();
  }

  revokeLease(): Promise<void> {
    return refuse();
  }

  checkHealth(timeoutMs?: number): Promise<void> {
    return this.#store.checkHealth(timeoutMs);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function refuse(): Promise<never> {
  return Promise.reject(new StorageError("Unavailable", "the store is open for reading only"));
}
