import {
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
  type WatchEvent,
  type WatchOptions,
} from "../kv.ts";
import type { Decrypted, ValueTransformer } from "./value-transformer.ts";

/** What decides how the values of a key are encrypted; undefined for keys whose values are left as they are. */
export type TransformerOf = (key: string) => ValueTransformer | undefined;

/** A store whose values are encrypted in the store behind it. */
export class EncryptedStore implements KVStore {
  readonly #store: KVStore;
  readonly #transformerOf: TransformerOf;
  readonly #boundTo: (key: string) => string;

  /** `boundTo` tells under which name ciphers bind a key's value to it: that of the key in the database itself. */
  constructor(options: {
    readonly store: KVStore;
    readonly transformerOf: TransformerOf;
    readonly boundTo?: (key: string) => string;
  }) {
    this.#store = options.store;
    this.#transformerOf = options.transformerOf;
    this.#boundTo = options.boundTo ?? ((key) => key);
  }

  get features(): StoreFeatures {
    return this.#store.features;
  }

  currentRevision(): Promise<number> {
    return this.#store.currentRevision();
  }

  async get(key: string, options?: { readonly revision?: number }): Promise<GetResult> {
    const result = await this.#store.get(key, options);
    return { ...result, kv: result.kv && (await this.#plain(result.kv)) };
  }

  async list(prefix: string, options?: ListOptions): Promise<ListResult> {
    const result = await this.#store.list(prefix, options);
    const kvs: KeyValue[] = [];
    for (const kv of result.kvs) {
      const plain = this.#plain(kv);
      kvs.push(plain instanceof Promise ? await plain : plain);
    }
    return { ...result, kvs };
  }

  count(prefix: string): Promise<number> {
    return this.#store.count(prefix);
  }

  /** Rejects with `Unavailable` where the value cannot be encrypted. */
  async txn(request: TxnRequest): Promise<TxnResult> {
    const result = await this.#store.txn(await this.#encrypted(request));
    if (result.succeeded || result.current === undefined) return result;
    return { ...result, current: await this.#plain(result.current) };
  }

  watch(prefix: string, options: WatchOptions): void {
    // Events that wait for a key hold those behind them up, so that all come in order.
    let last: Promise<void> | undefined;
    const deliver = (events: readonly WatchEvent[] | Promise<readonly WatchEvent[]>, revision: number): void => {
      if (last === undefined && !(events instanceof Promise)) {
        options.onEvents(events, revision);
        return;
      }
      const mine: Promise<void> = (last ?? Promise.resolve()).then(async () => {
        const plain = await events;
        if (!options.signal.aborted) options.onEvents(plain, revision);
        if (last === mine) last = undefined;
      });
      last = mine;
    };
    this.#store.watch(prefix, {
      ...options,
      onEvents: (events, revision) => deliver(this.#plainEvents(events), revision),
      onError: (error) => {
        if (last === undefined) options.onError(error);
        else void last.then(() => options.onError(error));
      },
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

  /** Whether the value is encrypted otherwise than it would be now: writing it anew changes what is stored, if not what it says. */
  async isStale(key: string): Promise<boolean> {
    const transformer = this.#transformerOf(key);
    if (transformer === undefined) return false;
    const { kv } = await this.#store.get(key);
    return kv !== undefined && (await transformer.decrypt(kv.value, this.#boundTo(key))).stale;
  }

  async #encrypted(request: TxnRequest): Promise<TxnRequest> {
    const transformer = request.put && this.#transformerOf(request.key);
    if (request.put === undefined || transformer === undefined) return request;
    try {
      const value = await transformer.encrypt(request.put.value, this.#boundTo(request.key));
      return { ...request, put: { ...request.put, value } };
    } catch (error) {
      throw new StorageError("Unavailable", `unable to transform key "${request.key}": ${(error as Error).message}`);
    }
  }

  #plainEvents(events: readonly WatchEvent[]): readonly WatchEvent[] | Promise<readonly WatchEvent[]> {
    if (!events.some(({ key }) => this.#transformerOf(key) !== undefined)) return events;
    const plain = events.map((event) => this.#plainEvent(event));
    return plain.some((event) => event instanceof Promise) ? Promise.all(plain) : (plain as WatchEvent[]);
  }

  #plainEvent(event: WatchEvent): WatchEvent | Promise<WatchEvent> {
    if (event.type === "delete") return event;
    const kv = this.#plain(event.kv);
    return kv instanceof Promise ? kv.then((plain) => ({ ...event, kv: plain })) : { ...event, kv };
  }

  /** A value that cannot be decrypted stays as it is, and says why. */
  #plain(kv: KeyValue): KeyValue | Promise<KeyValue> {
    const transformer = this.#transformerOf(kv.key);
    if (transformer === undefined) return kv;
    const unreadable = (error: unknown): KeyValue => ({
      ...kv,
      fault: new Error(`unable to transform key "${kv.key}": ${(error as Error).message}`),
    });
    const readable = ({ value }: Decrypted): KeyValue => (value === kv.value ? kv : { ...kv, value });
    try {
      const decrypted = transformer.decrypt(kv.value, this.#boundTo(kv.key));
      return decrypted instanceof Promise ? decrypted.then(readable, unreadable) : readable(decrypted);
    } catch (error) {
      return unreadable(error);
    }
  }
}
