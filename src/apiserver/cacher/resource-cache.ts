import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { prefixEnd, sortKey } from "#storage/key-order.ts";
import { OrderedTree } from "#storage/memory/ordered-tree.ts";
import { beginsWith, encodeObject, type KnownObject } from "../serializer.ts";
import { type CacheEntry, entryFromValue } from "./cache-entry.ts";
import { DecodedObjects } from "./decoded-objects.ts";
import { type CacheEvent, EventHistory } from "./event-history.ts";
import { FieldIndex } from "./field-index.ts";
import type { StoredReader } from "./stored-reader.ts";
import {
  type Attribute,
  type FilteredEvent,
  type FilterMark,
  filterEvent,
  type ObjectFilter,
  type WatchConsumer,
} from "./watch-group.ts";
import { WatchIndex } from "./watch-index.ts";

/** A consistent view of all objects of a resource. */
export interface Snapshot {
  readonly tree: OrderedTree<CacheEntry>;
  readonly revision: number;
}

/** How a resource's objects are kept in its cache. */
export interface ResourceCacheOptions {
  /** What stored objects become before anybody sees them, where that is not what they are. May change its argument. */
  readonly read?: ((object: ApiObject) => ApiObject) | undefined;
  /** See {@link ResourceCache.exact}. */
  readonly exact?: boolean;
  /** See {@link EventHistory}. */
  readonly historyEventsMax?: number | undefined;
}

/**
 * The watch cache of one resource: every object in key order as an immutable tree, the last changes, and the watches.
 * A snapshot costs nothing; older ones within the history share their structure with the present one.
 */
export class ResourceCache {
  /** `/registry/pods/`. */
  readonly prefix: string;
  #tree: OrderedTree<CacheEntry> = new OrderedTree();
  #current = new Map<string, CacheEntry>();
  #history: EventHistory;
  readonly #watches = new WatchIndex();
  /** By attribute; each begun when first asked for. */
  readonly #indexes = new Map<string, FieldIndex>();

  #decoded: DecodedObjects | undefined;

  /** Ids of the attributes by whose values objects are found. */
  indexed: readonly string[] = [];

  readonly #read: ((object: ApiObject) => ApiObject) | undefined;

  /** For values that another program stored; without it all are taken for own ones. */
  reader: StoredReader | undefined;

  /** Objects may hold whole numbers that are to be read exactly. */
  exact: boolean;
  readonly #historyEventsMax: number | undefined;

  constructor(prefix: string, { read, exact = false, historyEventsMax }: ResourceCacheOptions = {}) {
    this.prefix = prefix;
    this.#read = read;
    this.exact = exact;
    this.#historyEventsMax = historyEventsMax;
    this.#history = new EventHistory(this.#tree, 0, historyEventsMax);
  }

  /** The entry of a stored value. `known` is its object where the writer still has it. Throws for a value that cannot be read. */
  entryOf(key: string, revision: number, value: Uint8Array, known?: KnownObject): CacheEntry {
    const foreign = known === undefined ? this.#foreign(value) : undefined;
    const stored = entryFromValue(this.prefix.length, key, revision, value, known ?? foreign, this.exact);
    const entry = known !== undefined || this.#read === undefined ? stored : stored.readAs(this.#read);
    entry.stale = known === undefined && (this.reader?.staleness(value) ?? false);
    if (this.#decoded !== undefined) entry.keepAmong(this.#decoded);
    return entry;
  }

  /** There are many of these objects, of which few are read: only some stay decoded. */
  readSeldom(): void {
    this.#decoded ??= new DecodedObjects();
  }

  #foreign(value: Uint8Array): KnownObject | undefined {
    if (this.reader === undefined || this.reader.heads.some((head) => beginsWith(value, head))) return undefined;
    const object = this.reader.read(value);
    return { encoded: encodeObject(object), object };
  }

  /** Entries are readable as they are. */
  ready(_entries: readonly CacheEntry[]): undefined {
    return undefined;
  }

  get tree(): OrderedTree<CacheEntry> {
    return this.#tree;
  }

  get baseRevision(): number {
    return this.#history.baseRevision;
  }

  key(namespace: string, name: string): string {
    return namespace === "" ? `${this.prefix}${name}` : `${this.prefix}${namespace}/${name}`;
  }

  get(namespace: string, name: string): CacheEntry | undefined {
    return this.#current.get(this.key(namespace, name));
  }

  byKey(key: string): CacheEntry | undefined {
    return this.#current.get(key);
  }

  /** The state at an older revision; undefined when it is forgotten. */
  treeAt(revision: number): OrderedTree<CacheEntry> | undefined {
    return this.#history.treeAt(revision);
  }

  /** Of the present objects those that have the mark, or more; undefined where they cannot be found without looking at all. */
  treeOf(mark: FilterMark | undefined): OrderedTree<CacheEntry> | undefined {
    return mark === undefined || "label" in mark ? undefined : this.#indexBy(mark.attribute)?.share(mark.value);
  }

  /** Awaited before {@link treeOf}, lets requests be answered while objects are looked at for the first time; undefined when all were. */
  findable(mark: FilterMark | undefined): Promise<void> | undefined {
    return mark === undefined || "label" in mark ? undefined : this.#indexBy(mark.attribute)?.ready();
  }

  #indexBy(attribute: Attribute): FieldIndex | undefined {
    if (!this.indexed.includes(attribute.id)) return undefined;
    let index = this.#indexes.get(attribute.id);
    if (index === undefined) {
      index = new FieldIndex(attribute, this.#current);
      this.#indexes.set(attribute.id, index);
    }
    return index;
  }

  /** Takes over what a listing at `revision` found; all watches end. */
  load(entries: readonly CacheEntry[], revision: number): void {
    const tree = treeOf(entries);
    this.#tree = tree;
    this.#current = new Map(entries.map((entry) => [entry.key, entry]));
    this.#indexes.clear();
    this.#history = new EventHistory(tree, revision, this.#historyEventsMax);
    this.endWatches();
  }

  /** Applies changes in order and tells the watches. A state of undefined is a deletion. */
  apply(changes: readonly { readonly key: string; readonly revision: number; readonly entry: CacheEntry | undefined }[]): void {
    const events: CacheEvent[] = [];
    const add = (event: CacheEvent): void => {
      events.push(event);
      this.#history.push(event, this.#tree);
    };
    for (const { key, revision, entry } of changes) {
      const previous = this.#current.get(key);
      for (const index of this.#indexes.values()) index.replace(previous, entry);
      if (entry !== undefined) {
        this.#current.set(key, entry);
        this.#tree = this.#tree.with(sortKey(key), entry);
        add({ type: previous === undefined ? "ADDED" : "MODIFIED", revision, entry, previous });
      } else if (previous !== undefined) {
        this.#current.delete(key);
        this.#tree = this.#tree.without(sortKey(key));
        add({ type: "DELETED", revision, entry: previous.deletedAt(revision), previous });
      }
    }
    const last = events.at(-1);
    if (last === undefined) return;
    this.#watches.deliver(events, last.revision);
    for (const { type, entry, previous } of events) {
      previous?.release();
      if (type === "DELETED") entry.release();
    }
  }

  /** The entries of the tree that lie under `prefix`, from `startKey` on. */
  range(tree: OrderedTree<CacheEntry>, prefix: string, startKey?: string, limit?: number): CacheEntry[] {
    const start = startKey !== undefined && sortKey(startKey) > sortKey(prefix) ? startKey : prefix;
    const end = prefixEnd(prefix);
    return tree.range(sortKey(start), end === undefined ? undefined : sortKey(end), limit);
  }

  /** How many entries lie under `prefix` from `startKey` on. */
  count(tree: OrderedTree<CacheEntry>, prefix: string, startKey: string): number {
    const end = prefixEnd(prefix);
    return tree.countRange(sortKey(startKey), end === undefined ? undefined : sortKey(end));
  }

  /** What a filter saw after `revision`; undefined when that is too old. */
  eventsSince(revision: number, filter: ObjectFilter): FilteredEvent[] | undefined {
    const events = this.#history.since(revision);
    if (events === undefined) return undefined;
    const filtered: FilteredEvent[] = [];
    for (const event of events) {
      const seen = filterEvent(filter, event);
      if (seen !== undefined) filtered.push(seen);
    }
    return filtered;
  }

  /** Delivers every later change until the returned function is called. */
  watch(filter: ObjectFilter, consumer: WatchConsumer): () => void {
    return this.#watches.add(filter, consumer);
  }

  /** The revision up to which watches have been told everything. */
  told(current: number): number {
    return current;
  }

  /** How many watches are open. */
  get watchCount(): number {
    return this.#watches.watchCount;
  }

  endWatches(): void {
    for (const consumer of this.#watches.clear()) consumer.onEnd();
  }
}

/** Stores list in the order of keys. */
function treeOf(entries: readonly CacheEntry[]): OrderedTree<CacheEntry> {
  const pairs = entries.map((entry) => ({ key: sortKey(entry.key), entry }));
  pairs.sort((a, b) => (a.key < b.key ? -1 : 1));
  return OrderedTree.ofSorted(
    pairs.map(({ key }) => key),
    pairs.map(({ entry }) => entry),
  );
}
