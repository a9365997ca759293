import { setMaxListeners } from "node:events";
import type { Clock } from "#base/clock.ts";
import { Pace } from "#base/pace.ts";
import { type Random, systemRandom } from "#base/random.ts";
import type { Client, ResourceId } from "./client.ts";
import { type IndexFunction, ObjectCache, type Tally } from "./object-cache.ts";
import { metaOf } from "./object-meta.ts";
import { runReflector } from "./reflector.ts";

/** Told of every change, in order, synchronously. Objects are shared: read-only. */
export interface InformerHandler<T> {
  /** `initial` is true while the first list is delivered, and for what a late handler finds. */
  onAdd?(object: T, initial: boolean): void;
  onUpdate?(old: T, object: T): void;
  /** The last state that was seen; the final one where the server told it. */
  onDelete?(object: T): void;
}

/** Reads from the cache. Objects are shared: read-only. */
export interface Lister<T> {
  get(namespace: string, name: string): T | undefined;
  /** Of all namespaces when absent or empty. */
  list(namespace?: string): readonly T[];
}

/** Which part of a resource an informer mirrors; everything when absent. */
export interface InformerScope {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** Options of {@link SharedInformerFactory}. */
export interface InformerFactoryOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random?: Random;
  /** Deep-freeze every object, so that a controller that changes one fails at once. For tests: it costs time. */
  readonly freeze?: boolean;
  readonly onError?: (id: ResourceId, error: unknown) => void;
}

/** How many objects of a first list are taken over, or told of, before others have their turn: some milliseconds. */
const OBJECTS_PER_TURN = 256;

/** A first list on its way to the handlers, who have been told of the first `told` of it. */
interface Delivery<T> {
  readonly items: readonly T[];
  told: number;
}

/** A local mirror of one resource, which any number of controllers share. Never resyncs. */
export class SharedInformer<T extends object> {
  readonly id: ResourceId;
  readonly lister: Lister<T>;
  readonly #options: InformerFactoryOptions;
  readonly #scope: InformerScope;
  readonly #cache = new ObjectCache<T>();
  readonly #handlers = new Set<InformerHandler<T>>();
  readonly #synced: Promise<void>;
  #resolveSynced: () => void = () => {};
  #hasSynced = false;
  #delivery: Delivery<T> | undefined;
  #revision = 0;
  #running: Promise<void> | undefined;

  constructor(id: ResourceId, scope: InformerScope, options: InformerFactoryOptions) {
    this.id = id;
    this.#scope = scope;
    this.#options = options;
    this.#synced = new Promise((resolve) => {
      this.#resolveSynced = resolve;
    });
    this.lister = {
      get: (namespace, name) => this.#cache.get(namespace, name),
      list: (namespace) => this.#cache.list(namespace),
    };
  }

  /** True once the first list is in the cache and delivered. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /**
   * The store's revision up to which this mirror is complete: an object whose write answered a `resourceVersion` not
   * above it has been seen. Set before handlers run.
   */
  get revision(): number {
    return this.#revision;
  }

  /** Resolves when {@link hasSynced} becomes true. */
  waitForSync(): Promise<void> {
    return this.#synced;
  }

  /** A handler that comes late is told of everything that is there. Returns what takes it away again. */
  addHandler(handler: InformerHandler<T>): () => void {
    this.#handlers.add(handler);
    const known = this.#delivery === undefined ? this.#cache.list() : this.#delivery.items.slice(0, this.#delivery.told);
    for (const object of known) handler.onAdd?.(object, true);
    return () => this.#handlers.delete(handler);
  }

  /** How many objects it mirrors. */
  get size(): number {
    return this.#cache.size;
  }

  /** Adds an index, or keeps the one of that name. */
  addIndex(name: string, keysOf: IndexFunction<T>): void {
    this.#cache.addIndex(name, keysOf);
  }

  /** Adds a tally: what the cache holds and what that knows are always the same. */
  addTally(tally: Tally<T>): void {
    this.#cache.addTally(tally);
  }

  /** What {@link addIndex}'s function files under `value`. */
  byIndex(name: string, value: string): readonly T[] {
    return this.#cache.byIndex(name, value);
  }

  /** How many objects {@link byIndex} would give. */
  countByIndex(name: string, value: string): number {
    return this.#cache.countByIndex(name, value);
  }

  /** Resolves when it mirrors no longer; at once when it never did. */
  async ended(): Promise<void> {
    await this.#running;
  }

  /** Starts mirroring until the signal is aborted; later calls return the first one's promise. */
  run(signal: AbortSignal): Promise<void> {
    const { client, clock, random, onError } = this.#options;
    this.#running ??= runReflector<T>({
      client,
      clock,
      random: random ?? systemRandom,
      id: this.id,
      ...this.#scope,
      ...(onError === undefined ? {} : { onError: (error: unknown) => onError(this.id, error) }),
      sink: {
        replace: (items, resourceVersion) =>
          this.#cache.size === 0 && !this.#hasSynced
            ? this.#fill(items, resourceVersion, signal)
            : this.#replace(items, resourceVersion),
        upsert: (object) => this.#upsert(object),
        remove: (object) => this.#remove(object),
        bookmark: (resourceVersion) => this.#advance(resourceVersion),
      },
      signal,
    });
    return this.#running;
  }

  #advance(resourceVersion: string | undefined): void {
    const revision = Number(resourceVersion);
    if (revision > this.#revision) this.#revision = revision;
  }

  /** The first list: nobody relies on what is here before it is complete, so that it need not come in one piece. */
  async #fill(items: readonly T[], resourceVersion: string, signal: AbortSignal): Promise<void> {
    const pace = new Pace(OBJECTS_PER_TURN);
    const delivery: Delivery<T> = { items, told: 0 };
    this.#delivery = delivery;
    try {
      // All are in the cache before the first handler runs: handlers look things up.
      for (const item of items) {
        const pause = pace.before(1);
        if (pause !== undefined) await pause;
        if (pause !== undefined && signal.aborted) return;
        this.#store(item);
      }
      this.#advance(resourceVersion);
      for (const item of items) {
        const pause = pace.before(1);
        if (pause !== undefined) await pause;
        if (pause !== undefined && signal.aborted) return;
        this.#tell(undefined, item, true);
        delivery.told++;
      }
    } finally {
      this.#delivery = undefined;
    }
    this.#synchronized();
  }

  #replace(items: readonly T[], resourceVersion: string): void {
    this.#advance(resourceVersion);
    const keep = new Map<string, Set<string>>();
    for (const item of items) {
      const { namespace = "", name = "" } = metaOf(item);
      const names = keep.get(namespace);
      if (names === undefined) keep.set(namespace, new Set([name]));
      else names.add(name);
    }
    for (const object of this.#cache.list()) {
      const { namespace = "", name = "" } = metaOf(object);
      if (!keep.get(namespace)?.has(name)) this.#remove(object);
    }
    const initial = !this.#hasSynced;
    // As in a first list.
    const changes = items.map((item) => ({ old: this.#store(item), item }));
    for (const { old, item } of changes) this.#tell(old, item, initial);
    if (initial) this.#synchronized();
  }

  #synchronized(): void {
    this.#hasSynced = true;
    this.#resolveSynced();
  }

  #upsert(object: T): void {
    this.#advance(metaOf(object).resourceVersion);
    this.#tell(this.#store(object), object, false);
  }

  #remove(object: T): void {
    this.#advance(metaOf(object).resourceVersion);
    const { namespace = "", name = "" } = metaOf(object);
    if (this.#cache.delete(namespace, name) === undefined) return;
    for (const handler of this.#handlers) handler.onDelete?.(object);
  }

  #store(object: T): T | undefined {
    if (this.#options.freeze) deepFreeze(object);
    return this.#cache.set(object);
  }

  #tell(old: T | undefined, object: T, initial: boolean): void {
    if (old === undefined) {
      for (const handler of this.#handlers) handler.onAdd?.(object, initial);
      return;
    }
    if (metaOf(old).resourceVersion === metaOf(object).resourceVersion) return;
    for (const handler of this.#handlers) {
      // Deleted and made again between two lists: another object under the same name.
      if (metaOf(old).uid !== metaOf(object).uid) {
        handler.onDelete?.(old);
        handler.onAdd?.(object, false);
      } else handler.onUpdate?.(old, object);
    }
  }
}

/** One informer per resource and scope, shared by everything in a component. */
export class SharedInformerFactory {
  readonly #options: InformerFactoryOptions;
  readonly #informers = new Map<string, SharedInformer<object>>();

  constructor(options: InformerFactoryOptions) {
    this.#options = options;
  }

  /** The informer of a resource; made at the first call. Starts with the next {@link start}. */
  informer<T extends object>(id: ResourceId, scope: InformerScope = {}): SharedInformer<T> {
    const key = JSON.stringify([id.group, id.version, id.resource, scope.namespace, scope.labelSelector, scope.fieldSelector]);
    let informer = this.#informers.get(key);
    if (informer === undefined) {
      informer = new SharedInformer<object>(id, scope, this.#options);
      this.#informers.set(key, informer);
    }
    return informer as unknown as SharedInformer<T>;
  }

  /** Starts every informer that does not run yet. */
  start(signal: AbortSignal): void {
    // Every watch listens.
    setMaxListeners(0, signal);
    // A reflector never rejects.
    for (const informer of this.#informers.values()) void informer.run(signal);
  }

  /** Resolves when none runs any more: some time after the signal of {@link start} was aborted. */
  async ended(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.ended()));
  }

  /** Resolves when every informer has its first list. */
  async waitForSync(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.waitForSync()));
  }
}

function deepFreeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
}
