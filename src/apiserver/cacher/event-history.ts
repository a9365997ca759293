import { sortKey } from "#storage/key-order.ts";
import type { OrderedTree } from "#storage/memory/ordered-tree.ts";
import type { CacheEntry } from "./cache-entry.ts";

/** Events kept per resource for watches that resume and for reads of older revisions, where nothing else is said. */
export const HISTORY_EVENTS_MAX = 8_192;
/** Bytes of objects kept by the events of one resource. */
export const HISTORY_BYTES_MAX: number = 16 * 1024 * 1024;

/** One change of one object. */
export interface CacheEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly revision: number;
  /** The new state; for DELETED the last one, with the deletion's revision. */
  readonly entry: CacheEntry;
  /** The state before; absent for ADDED. */
  readonly previous: CacheEntry | undefined;
}

/** Every so many events the state is kept; those in between are found by undoing events, which hardly anybody asks for. */
const EVENTS_PER_SNAPSHOT = 128;

/** All objects after the first `count` events. */
interface TreeSnapshot {
  readonly count: number;
  readonly tree: OrderedTree<CacheEntry>;
}

/** The last changes of one resource, bounded in number and bytes, and the states between them. */
export class EventHistory {
  #events: (CacheEvent | undefined)[] = [];
  /** Events before this index are forgotten: nothing is there any more, and the array is cut in steps. */
  #first = 0;
  /** How many events came before the first of the array. */
  #cut = 0;
  #bytes = 0;
  #snapshots: TreeSnapshot[] = [];
  #tree: OrderedTree<CacheEntry>;
  #baseRevision: number;
  readonly #eventsMax: number;

  constructor(tree: OrderedTree<CacheEntry>, revision: number, eventsMax: number = HISTORY_EVENTS_MAX) {
    this.#tree = tree;
    this.#eventsMax = eventsMax;
    this.#baseRevision = revision;
  }

  /** The oldest revision that can be read exactly or resumed from. */
  get baseRevision(): number {
    return this.#baseRevision;
  }

  /** `tree` holds all objects after the event. */
  push(event: CacheEvent, tree: OrderedTree<CacheEntry>): void {
    this.#events.push(event);
    this.#tree = tree;
    const count = this.#cut + this.#events.length;
    if (count % EVENTS_PER_SNAPSHOT === 0) this.#snapshots.push({ count, tree });
    this.#bytes += event.entry.encoded.bytes.byteLength;
    while (this.#events.length - this.#first > this.#eventsMax || this.#bytes > HISTORY_BYTES_MAX) this.#forgetOldest();
    if (this.#first > this.#eventsMax / 4) {
      this.#events = this.#events.slice(this.#first);
      this.#cut += this.#first;
      this.#first = 0;
    }
  }

  /** The events after `revision`; undefined when some of them are forgotten. */
  since(revision: number): readonly CacheEvent[] | undefined {
    if (revision < this.#baseRevision) return undefined;
    return this.#events.slice(this.#after(revision)) as CacheEvent[];
  }

  /** All objects as of `revision`, which must not lie in the future; undefined when that is forgotten. */
  treeAt(revision: number): OrderedTree<CacheEntry> | undefined {
    if (revision < this.#baseRevision) return undefined;
    const at = this.#after(revision);
    const snapshot = this.#snapshots.find(({ count }) => count >= this.#cut + at);
    let tree = snapshot?.tree ?? this.#tree;
    for (let i = (snapshot === undefined ? this.#events.length : snapshot.count - this.#cut) - 1; i >= at; i--) {
      tree = undo(tree, this.#events[i] as CacheEvent);
    }
    return tree;
  }

  /** Index of the first event after `revision`. */
  #after(revision: number): number {
    let low = this.#first;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle] as CacheEvent).revision <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #forgetOldest(): void {
    const oldest = this.#events[this.#first] as CacheEvent;
    this.#bytes -= oldest.entry.encoded.bytes.byteLength;
    this.#baseRevision = oldest.revision;
    this.#events[this.#first] = undefined;
    this.#first++;
    const [snapshot] = this.#snapshots;
    if (snapshot !== undefined && snapshot.count < this.#cut + this.#first) this.#snapshots.shift();
  }
}

function undo(tree: OrderedTree<CacheEntry>, { entry, previous }: CacheEvent): OrderedTree<CacheEntry> {
  return previous === undefined ? tree.without(sortKey(entry.key)) : tree.with(sortKey(entry.key), previous);
}
