import { internalError } from "#apimachinery/api-errors/errors.ts";
import { type Status, StatusError } from "#apimachinery/api-errors/status.ts";
import type { OrderedTree } from "#storage/memory/ordered-tree.ts";
import type { CacheEntry } from "./cache-entry.ts";
import { Conversions } from "./conversions.ts";
import type { CacheEvent } from "./event-history.ts";
import { OrderedJobs } from "./ordered-jobs.ts";
import type { ResourceCache } from "./resource-cache.ts";
import { type StoredCodec, VersionEntry } from "./version-entry.ts";
import { type FilteredEvent, type FilterMark, filterEvent, type ObjectFilter, type WatchConsumer } from "./watch-group.ts";
import { WatchIndex } from "./watch-index.ts";

/** Events that may wait for conversion; then the watches end, and their clients resume where they were. */
const EVENTS_WAITING_MAX = 10_000;

const EVERYTHING: ObjectFilter = { namespace: "", name: "", id: "" };

/** A change in the version's form; those that a watch begins with have no state before. */
export type VersionEvent = Pick<CacheEvent, "type" | "entry"> & Partial<Pick<CacheEvent, "revision" | "previous">>;

/**
 * One version of a resource whose versions another server may have to convert: the stored objects as a client of this
 * version sees them. An object is converted once for all who want it and only when somebody does: readers of what they
 * read, and watches of every change, in order, many changes at once when they come faster than conversions.
 */
export class VersionCache {
  /** What is stored. */
  readonly stored: ResourceCache;
  readonly #codec: StoredCodec;
  readonly #entries = new WeakMap<CacheEntry, CacheEntry>();
  readonly #conversions: Conversions;
  readonly #watches = new WatchIndex();
  readonly #jobs = new OrderedJobs();
  /** Changes that the last job is to deliver, while it has not begun. */
  #queued: { events: readonly CacheEvent[]; revision: number } | undefined;
  #delivered: number | undefined;
  #unfollow: (() => void) | undefined;

  constructor(stored: ResourceCache, codec: StoredCodec) {
    this.stored = stored;
    this.#codec = codec;
    this.#conversions = new Conversions(codec);
  }

  get prefix(): string {
    return this.stored.prefix;
  }

  get tree(): OrderedTree<CacheEntry> {
    return this.stored.tree;
  }

  get baseRevision(): number {
    return this.stored.baseRevision;
  }

  key(namespace: string, name: string): string {
    return this.stored.key(namespace, name);
  }

  get(namespace: string, name: string): CacheEntry | undefined {
    return this.byKey(this.key(namespace, name));
  }

  byKey(key: string): CacheEntry | undefined {
    const entry = this.stored.byKey(key);
    return entry && this.view(entry);
  }

  treeAt(revision: number): OrderedTree<CacheEntry> | undefined {
    return this.stored.treeAt(revision);
  }

  /** A field's value is known when an object is converted: nothing is found by it. */
  treeOf(_mark: FilterMark | undefined): undefined {
    return undefined;
  }

  findable(_mark: FilterMark | undefined): undefined {
    return undefined;
  }

  range(tree: OrderedTree<CacheEntry>, prefix: string, startKey?: string, limit?: number): CacheEntry[] {
    return this.stored.range(tree, prefix, startKey, limit).map((entry) => this.view(entry));
  }

  count(tree: OrderedTree<CacheEntry>, prefix: string, startKey: string): number {
    return this.stored.count(tree, prefix, startKey);
  }

  entryOf(key: string, revision: number, value: Uint8Array): CacheEntry {
    return this.view(this.stored.entryOf(key, revision, value));
  }

  /** A stored state in this version. */
  view(entry: CacheEntry): CacheEntry {
    let view = this.#entries.get(entry);
    if (view === undefined) {
      view = new VersionEntry(entry, this.#codec);
      this.#entries.set(entry, view);
    }
    return view;
  }

  /** Makes sure that the entries can be read; undefined when they can. Rejects with what the conversion failed with. */
  ready(entries: readonly CacheEntry[]): Promise<void> | undefined {
    return this.#conversions.ready(entries);
  }

  /**
   * Lets the consumer have the stored changes `first`, as far as its filter lets them through, and every later change. What
   * comes first is given to `onJoined` together with the way out. A failure ends the watch.
   */
  join(
    filter: ObjectFilter,
    consumer: WatchConsumer,
    first: readonly VersionEvent[],
    onJoined: (events: readonly FilteredEvent[], leave: () => void) => void,
  ): void {
    this.#follow();
    const events = first.map((event) => this.#viewed(event));
    this.#queued = undefined;
    this.#jobs.push({
      prepare: () => this.ready(entriesOf(events, filter.matches !== undefined)),
      run: () => {
        const seen: FilteredEvent[] = [];
        for (const event of events) {
          const shown = filterEvent(filter, event as CacheEvent);
          if (shown !== undefined) seen.push(shown);
        }
        onJoined(seen, this.#add(filter, consumer));
      },
      fail: (error) => {
        consumer.onEnd(statusOf(error));
        this.#unfollowIdle();
      },
    });
  }

  /** The revision up to which watches have been told everything; undefined while that cannot be said. */
  told(current: number): number | undefined {
    return this.#jobs.idle ? current : this.#delivered;
  }

  get watchCount(): number {
    return this.#watches.watchCount;
  }

  endWatches(why?: Status): void {
    const consumers = this.#watches.clear();
    this.#unfollowIdle();
    for (const consumer of consumers) consumer.onEnd(why);
  }

  #add(filter: ObjectFilter, consumer: WatchConsumer): () => void {
    const leave = this.#watches.add(filter, consumer);
    return () => {
      leave();
      this.#unfollowIdle();
    };
  }

  #follow(): void {
    this.#unfollow ??= this.stored.watch(EVERYTHING, {
      onEvents: (events, revision) => this.#onChange(events as readonly CacheEvent[], revision),
      onEnd: () => {
        this.#unfollow = undefined;
        this.endWatches();
      },
    });
  }

  #unfollowIdle(): void {
    if (!this.#watches.empty || !this.#jobs.idle) return;
    this.#unfollow?.();
    this.#unfollow = undefined;
    this.#delivered = undefined;
  }

  #onChange(changes: readonly CacheEvent[], revision: number): void {
    const events = changes.map((event) => this.#viewed(event) as CacheEvent);
    const queued = this.#queued;
    if (queued !== undefined) {
      queued.events = [...queued.events, ...events];
      queued.revision = revision;
      if (queued.events.length > EVENTS_WAITING_MAX) this.#giveUp(queued);
      return;
    }
    const batch = { events, revision };
    this.#queued = batch;
    this.#jobs.push({
      prepare: () => {
        if (this.#queued === batch) this.#queued = undefined;
        if (this.#watches.empty) return undefined;
        return this.ready(entriesOf(batch.events, this.#watches.looksBack));
      },
      run: () => {
        this.#delivered = batch.revision;
        this.#watches.deliver(batch.events, batch.revision);
        this.#forget(batch.events);
        this.#unfollowIdle();
      },
      fail: (error) => this.endWatches(statusOf(error)),
    });
  }

  #giveUp(queued: { events: readonly CacheEvent[] }): void {
    queued.events = [];
    this.endWatches();
  }

  #viewed(event: VersionEvent): VersionEvent {
    const { entry, previous } = event;
    const before = previous && this.view(previous);
    if (event.type === "DELETED" && before instanceof VersionEntry && before.settled && !this.#entries.has(entry)) {
      this.#entries.set(entry, before.deletedAt(entry.revision));
    }
    return { ...event, entry: this.view(entry), previous: before };
  }

  /** States that are no longer: few are read once more. */
  #forget(events: readonly CacheEvent[]): void {
    for (const { type, entry, previous } of events) {
      if (previous instanceof VersionEntry) this.#entries.delete(previous.stored);
      if (type === "DELETED" && entry instanceof VersionEntry) this.#entries.delete(entry.stored);
    }
  }
}

function entriesOf(events: readonly VersionEvent[], withPrevious: boolean): CacheEntry[] {
  const entries: CacheEntry[] = [];
  for (const { entry, previous } of events) {
    entries.push(entry);
    if (withPrevious && previous !== undefined) entries.push(previous);
  }
  return entries;
}

function statusOf(error: unknown): Status {
  if (error instanceof StatusError) return error.status;
  return internalError(error instanceof Error ? error.message : String(error)).status;
}
