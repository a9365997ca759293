import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { AssertionError } from "#base/assert.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { KVStore } from "#storage/kv.ts";
import { OrderedTree } from "#storage/memory/ordered-tree.ts";
import { AdmissionChain, type AdmissionPluginFactory } from "../../admission/admission.ts";
import type { CacheEntry } from "../../cacher/cache-entry.ts";
import { RegistryCache } from "../../cacher/registry-cache.ts";
import type { ResourceDefinition, Store } from "../resource.ts";
import type { ObjectChange, ResourceSet, Stores } from "../resource-set.ts";
import { ByResource } from "./by-resource.ts";
import { Compactor } from "./compactor.ts";
import { GenericStore } from "./generic-store.ts";
import { LeasePool } from "./lease-pool.ts";
import { type SchemaFor, servedForms } from "./served-form.ts";
import type { StorageSettings } from "./storage-settings.ts";
import type { StoreModules } from "./store-core.ts";

/** What {@link createStores} builds on. */
export interface CreateStoresOptions {
  readonly resources: ResourceSet;
  readonly kv: KVStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly schemaFor: SchemaFor;
  /** Told of stored values that cannot be read; they count as absent. */
  readonly onUnreadable?: (key: string, error: unknown) => void;
  /** In order; made once the stores exist. */
  readonly admission: readonly AdmissionPluginFactory[];
  readonly settings?: StorageSettings;
}

/** All stores of a server, the caches that feed them, and the admission chain before them. */
export class StoreRegistry implements Stores {
  readonly cache: RegistryCache;
  readonly modules: StoreModules;
  /** Of resources that are kept elsewhere, by group and plural. */
  readonly #elsewhere = new Map<string, StoreModules>();
  readonly #settings: StorageSettings;
  readonly schemaFor: SchemaFor;
  /** Rises whenever a resource comes or goes: what was derived from them is made anew. */
  version = 0;
  /** Waited for before a resource is asked for: it may be about to be served, or to be served otherwise. */
  pending: (group: string, plural: string) => Promise<void> | undefined = () => undefined;
  #resources: ResourceSet;
  readonly #stores = new ByResource<GenericStore>();
  readonly #stopped = new AbortController();
  #admission: AdmissionChain = new AdmissionChain([]);

  constructor(options: CreateStoresOptions) {
    const { kv, clock, random, resources, schemaFor } = options;
    this.#resources = resources;
    this.schemaFor = schemaFor;
    const { onUnreadable } = options;
    this.#settings = options.settings ?? {};
    const { overrides = [], deleteCollectionWorkers, leaseReuseSeconds, mediaType, historyEventsMax } = this.#settings;
    const modulesOn = (store: KVStore): StoreModules => ({
      kv: store,
      cache: new RegistryCache({ kv: store, clock, onUnreadable, historyEventsMax }),
      clock,
      random,
      leases: new LeasePool(store, clock, leaseReuseSeconds),
      admission: () => this.#admission,
      ...(deleteCollectionWorkers !== undefined && { deleteCollectionWorkers }),
      ...(mediaType !== undefined && { mediaType }),
    });
    this.modules = modulesOn(kv);
    this.cache = this.modules.cache;
    const byStore = new Map<KVStore, StoreModules>();
    for (const { group, resource, kv: other } of overrides) {
      const modules = byStore.get(other) ?? modulesOn(other);
      byStore.set(other, modules);
      this.#elsewhere.set(`${group}/${resource}`, modules);
    }
    for (const stored of resources.stored) {
      const definition = stored as unknown as ResourceDefinition;
      const store = this.#storeOf(definition, schemaFor);
      this.#stores.set(definition.group, definition.plural, store);
    }
    this.#admission = new AdmissionChain(options.admission.map((make) => make({ stores: this, clock, random })));
  }

  get admission(): AdmissionChain {
    return this.#admission;
  }

  /** Everything that is served now. */
  get resources(): ResourceSet {
    return this.#resources;
  }

  /** Serves a further resource, or another definition of one that was added before; its types are `schemaFor`'s. */
  async add(definition: ResourceDefinition, schemaFor: SchemaFor): Promise<void> {
    const { group, plural } = definition;
    const before = this.#stores.get(group, plural);
    const known = before !== undefined && readsAlike(before.definition, definition);
    const stored = before?.core.stored;
    if (!known) await this.cache.add(definition.storagePrefix, definition.readStored);
    this.#stores.set(group, plural, this.#storeOf(definition, schemaFor));
    if (!known) stored?.endWatches();
    this.#setStored([...this.#others(group, plural), definition as unknown as ResourceDefinition<never>]);
  }

  #storeOf(definition: ResourceDefinition, schemaFor: SchemaFor): GenericStore {
    const versions = (definition.otherVersions ?? []).flatMap(({ definition: own }) => (own === undefined ? [] : [own]));
    const modules = this.#elsewhere.get(`${definition.group}/${definition.plural}`) ?? this.modules;
    const stores = versions.map((own) => new GenericStore(own, servedForms(own, schemaFor), modules));
    return new GenericStore(definition, servedForms(definition, schemaFor), modules, stores);
  }

  /** Ends what {@link add} began; watches end. What is stored stays. */
  remove(group: string, plural: string): void {
    const store = this.#stores.get(group, plural);
    if (store === undefined) return;
    this.#stores.delete(group, plural);
    this.#setStored(this.#others(group, plural));
    this.cache.remove(store.definition.storagePrefix);
  }

  #others(group: string, plural: string): ResourceDefinition<never>[] {
    return this.#resources.stored.filter((stored) => stored.group !== group || stored.plural !== plural);
  }

  #setStored(stored: readonly ResourceDefinition<never>[]): void {
    this.#resources = { ...this.#resources, stored };
    this.version++;
  }

  all(): IterableIterator<GenericStore> {
    return this.#stores.values();
  }

  of<T extends object = ApiObject>(group: string, plural: string): Store<T> {
    return this.generic(group, plural) as unknown as Store<T>;
  }

  has(group: string, plural: string): boolean {
    return this.#stores.get(group, plural) !== undefined;
  }

  follow<T extends object = ApiObject>(group: string, plural: string): () => readonly ObjectChange<T>[] {
    let seen = new OrderedTree<CacheEntry>();
    return () => {
      const { tree } = this.generic(group, plural).core.stored;
      const changes = tree.changesSince(seen);
      seen = tree;
      return changes.map(({ key, value }) => ({ key, object: value?.object as unknown as T | undefined }));
    };
  }

  /** The store itself, for handlers. Asserts that the resource is known. */
  generic(group: string, plural: string): GenericStore {
    const store = this.#stores.get(group, plural);
    if (store === undefined) throw new AssertionError(`no resource ${plural} in group "${group}"`);
    return store;
  }

  /** The store itself, or undefined for what is not served from this one. */
  find(group: string, plural: string): GenericStore | undefined {
    return this.#stores.get(group, plural);
  }

  /** Loads the caches and follows the store. */
  async start(): Promise<void> {
    const { compactionIntervalMs, readOnly = false } = this.#settings;
    await Promise.all(
      this.#allModules().map(async ({ kv, clock, cache }) => {
        if (!readOnly) await new Compactor(kv, clock, compactionIntervalMs).start(this.#stopped.signal);
        await cache.start();
      }),
    );
  }

  /** Ends all watches. The store stays open: it is the caller's. */
  stop(): void {
    this.#stopped.abort();
    for (const { cache } of this.#allModules()) cache.stop();
  }

  #allModules(): readonly StoreModules[] {
    return [this.modules, ...new Set(this.#elsewhere.values())];
  }
}

/** Whether stored objects need not be read anew when one definition takes another's place. */
function readsAlike(a: ResourceDefinition, b: ResourceDefinition): boolean {
  return a.readStored === b.readStored && a.codec === b.codec;
}

/** Makes the stores of all resources and fills their caches. */
export async function createStores(options: CreateStoresOptions): Promise<StoreRegistry> {
  const registry = new StoreRegistry(options);
  await registry.start();
  return registry;
}
