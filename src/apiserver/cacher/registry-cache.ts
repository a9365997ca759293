import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { Clock } from "#base/clock.ts";
import type { KeyValue, KVStore, StorageError, WatchEvent } from "#storage/kv.ts";
import type { EncodedObject } from "../serializer.ts";
import type { CacheEntry } from "./cache-entry.ts";
import { ResourceCache } from "./resource-cache.ts";

/** Everything that the API stores lies under this key. */
export const REGISTRY_PREFIX = "/registry/";
/** Pause before a lost watch on the store is tried again. */
const RELOAD_DELAY_MS = 500;

/** A write on its way: lets the cache take over the object that the writer has already decoded. */
export interface PendingWrite {
  readonly encoded: EncodedObject;
  readonly object: ApiObject;
  /** What is stored: the encoded object, or what stands for it in another encoding. */
  readonly value: Uint8Array;
  /** Set when the write has reached the cache. */
  entry: CacheEntry | undefined;
}

const DONE: Promise<void> = Promise.resolve();

type Change = Parameters<ResourceCache["apply"]>[0][number];

interface Waiter {
  readonly revision: number;
  readonly resolve: () => void;
}

/** What the caches of a store are made of. */
export interface RegistryCacheOptions {
  readonly kv: KVStore;
  readonly clock: Clock;
  /** Is told of stored values that cannot be read; they count as absent. */
  readonly onUnreadable?: ((key: string, error: unknown) => void) | undefined;
  /** Events kept per resource; see {@link EventHistory}. */
  readonly historyEventsMax?: number | undefined;
}

/**
 * The watch caches of all resources, fed by one watch on the store, so that all stand at one revision.
 * Reads from them are consistent: a writer is answered only after its write is here.
 */
export class RegistryCache {
  readonly #kv: KVStore;
  readonly #clock: Clock;
  readonly #caches = new Map<string, ResourceCache>();
  readonly #pending = new Map<string, PendingWrite[]>();
  /** Caches that are about to be there, with the changes that wait for their first list. */
  readonly #joining = new Map<string, { readonly cache: ResourceCache; readonly held: Change[] }>();
  #waiters: Waiter[] = [];
  #revision = 0;
  #watching = new AbortController();
  readonly #stopped = new AbortController();

  readonly #onUnreadable: (key: string, error: unknown) => void;
  readonly #historyEventsMax: number | undefined;

  constructor(options: RegistryCacheOptions) {
    this.#kv = options.kv;
    this.#clock = options.clock;
    this.#historyEventsMax = options.historyEventsMax;
    this.#onUnreadable = options.onUnreadable ?? (() => undefined);
  }

  /** The revision that all caches have reached. */
  get revision(): number {
    return this.#revision;
  }

  /** The cache for `pods`, `services/specs`, ...; made before {@link start}. */
  cacheFor(storagePrefix: string): ResourceCache {
    let cache = this.#caches.get(storagePrefix);
    if (cache === undefined) {
      cache = new ResourceCache(`${REGISTRY_PREFIX}${storagePrefix}/`, { historyEventsMax: this.#historyEventsMax });
      this.#caches.set(storagePrefix, cache);
    }
    return cache;
  }

  /**
   * Makes a cache of custom resources while the store is being followed: resolves when what the store holds is there, as `read` makes it. Takes
   * the place of a cache of the same objects, which is kept up to date until then, and whose watches go on until they are
   * ended.
   */
  async add(storagePrefix: string, read?: (object: ApiObject) => ApiObject): Promise<ResourceCache> {
    const cache = new ResourceCache(`${REGISTRY_PREFIX}${storagePrefix}/`, {
      read,
      exact: true,
      historyEventsMax: this.#historyEventsMax,
    });
    const held: Change[] = [];
    this.#joining.set(storagePrefix, { cache, held });
    try {
      const revision = await this.#kv.currentRevision();
      await this.#load(cache, revision);
      cache.apply(held.filter((change) => change.revision > revision));
      this.#caches.set(storagePrefix, cache);
    } finally {
      this.#joining.delete(storagePrefix);
    }
    return cache;
  }

  /** Forgets a resource; its watches end. What the store holds stays. */
  remove(storagePrefix: string): void {
    this.#caches.get(storagePrefix)?.endWatches();
    this.#caches.delete(storagePrefix);
  }

  /** Loads what the store holds and follows it from then on. */
  async start(): Promise<void> {
    const watching = new AbortController();
    this.#watching = watching;
    const revision = await this.#kv.currentRevision();
    for (const cache of this.#caches.values()) await this.#load(cache, revision);
    this.#advance(revision);
    this.#kv.watch(REGISTRY_PREFIX, {
      startRevision: revision + 1,
      signal: watching.signal,
      onEvents: (events, to) => this.#apply(events, to),
      onError: (error) => this.#lost(error),
    });
  }

  stop(): void {
    this.#stopped.abort();
    this.#watching.abort();
    for (const cache of this.#caches.values()) cache.endWatches();
  }

  /** Announces a write that is about to be sent to the store. */
  expect(key: string, encoded: EncodedObject, object: ApiObject, value: Uint8Array = encoded.bytes): PendingWrite {
    const write: PendingWrite = { encoded, object, value, entry: undefined };
    const list = this.#pending.get(key);
    if (list === undefined) this.#pending.set(key, [write]);
    else list.push(write);
    return write;
  }

  /** Takes back what {@link expect} announced. */
  forget(key: string, write: PendingWrite): void {
    const list = this.#pending.get(key);
    if (list === undefined) return;
    const at = list.indexOf(write);
    if (at >= 0) list.splice(at, 1);
    if (list.length === 0) this.#pending.delete(key);
  }

  /** Resolves when the caches have reached `revision`. */
  waitFor(revision: number): Promise<void> {
    if (this.#revision >= revision) return DONE;
    return new Promise((resolve) => this.#waiters.push({ revision, resolve }));
  }

  /** Makes sure that what other processes wrote until now is here. Costs nothing on a store of our own: undefined. */
  catchUp(): Promise<void> | undefined {
    return this.#kv.features.shared ? this.#catchUp() : undefined;
  }

  async #catchUp(): Promise<void> {
    await this.waitFor(await this.#kv.currentRevision());
  }

  async #load(cache: ResourceCache, revision: number): Promise<void> {
    const { kvs } = await this.#kv.list(cache.prefix, { revision });
    const entries: CacheEntry[] = [];
    for (const kv of kvs) {
      const entry = this.#entry(cache, kv, kv.modRevision);
      if (entry !== undefined) entries.push(entry);
    }
    cache.load(entries, revision);
  }

  #apply(events: readonly WatchEvent[], to: number): void {
    const shares = new Map<ResourceCache, Change[]>();
    for (const event of events) {
      const { key, revision } = event;
      const prefix = this.#prefixOf(key);
      if (prefix === undefined) continue;
      const joining = this.#joining.get(prefix);
      if (joining !== undefined) {
        const entry = event.type === "delete" ? undefined : this.#entry(joining.cache, event.kv, revision);
        joining.held.push({ key, revision, entry });
      }
      const cache = this.#caches.get(prefix);
      if (cache === undefined) continue;
      const entry = event.type === "delete" ? undefined : this.#written(cache, event.kv);
      const share = shares.get(cache);
      if (share === undefined) shares.set(cache, [{ key, revision, entry }]);
      else share.push({ key, revision, entry });
    }
    // Whoever is told of the events may read: the revision must be reached by then.
    this.#revision = Math.max(this.#revision, to);
    for (const [cache, changes] of shares) cache.apply(changes);
    this.#advance(to);
  }

  #entry(cache: ResourceCache, kv: KeyValue, revision: number, write?: PendingWrite): CacheEntry | undefined {
    try {
      if (kv.fault !== undefined) throw kv.fault;
      return cache.entryOf(kv.key, revision, kv.value, write);
    } catch (error) {
      this.#onUnreadable(kv.key, error);
      return undefined;
    }
  }

  #written(cache: ResourceCache, kv: KeyValue): CacheEntry | undefined {
    const { key, value } = kv;
    const write = this.#pending.get(key)?.find((pending) => sameBytes(pending.value, value));
    const entry = this.#entry(cache, kv, kv.modRevision, write);
    if (write !== undefined) {
      write.entry = entry;
      this.forget(key, write);
    }
    return entry;
  }

  #prefixOf(key: string): string | undefined {
    const first = key.indexOf("/", REGISTRY_PREFIX.length);
    if (first < 0) return undefined;
    const short = key.slice(REGISTRY_PREFIX.length, first);
    if (this.#caches.has(short) || this.#joining.has(short)) return short;
    const second = key.indexOf("/", first + 1);
    if (second < 0) return undefined;
    const long = key.slice(REGISTRY_PREFIX.length, second);
    return this.#caches.has(long) || this.#joining.has(long) ? long : undefined;
  }

  #advance(revision: number): void {
    if (revision > this.#revision) this.#revision = revision;
    if (this.#waiters.length === 0) return;
    const ready = this.#waiters.filter((waiter) => waiter.revision <= this.#revision);
    if (ready.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => waiter.revision > this.#revision);
    for (const waiter of ready) waiter.resolve();
  }

  #lost(error: StorageError): void {
    if (this.#stopped.signal.aborted) return;
    this.#watching.abort();
    if (error.code === "Unavailable" && !this.#kv.features.shared) {
      for (const cache of this.#caches.values()) cache.endWatches();
      return;
    }
    this.#clock.setTimeout(() => this.start().catch((failure: StorageError) => this.#lost(failure)), RELOAD_DELAY_MS, {
      unref: true,
    });
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || (a.byteLength === b.byteLength && Buffer.compare(a, b) === 0);
}
