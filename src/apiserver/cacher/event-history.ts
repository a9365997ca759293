import type { OrderedTree } from "#storage/memory/ordered-tree.ts";
import type { CacheEntry } from "./cache-entry.ts";

/** Events kept per resource for watches that resume and for reads of older revisions. */
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
  /** All objects after the change. */
  readonly tree: OrderedTree<CacheEntry>;
}

/** The last changes of one resource, bounded in number and bytes, and the state before the first of them. */
export class EventHistory {
  #events: CacheEvent[] = [];
  /** Events before this index are forgotten; the array is cut in steps. */
  #first = 0;
  #bytes = 0;
  #baseTree: OrderedTree<CacheEntry>;
  #baseRevision: number;

  constructor(tree: OrderedTree<CacheEntry>, revision: number) {
    this.#baseTree = tree;
    this.#baseRevision = revision;
  }

  /** The oldest revision that can be read exactly or resumed from. */
  get baseRevision(): number {
    return this.#baseRevision;
  }

  push(event: CacheEvent): void {
    this.#events.push(event);
    this.#bytes += event.entry.encoded.bytes.byteLength;
    while (this.#events.length - this.#first > HISTORY_EVENTS_MAX || this.#bytes > HISTORY_BYTES_MAX) this.#forgetOldest();
    if (this.#first > HISTORY_EVENTS_MAX / 4) {
      this.#events = this.#events.slice(this.#first);
      this.#first = 0;
    }
  }

  /** The events after `revision`; undefined when some of them are forgotten. */
  since(revision: number): readonly CacheEvent[] | undefined {
    if (revision < this.#baseRevision) return undefined;
    return this.#events.slice(this.#after(revision));
  }

  /** All objects as of `revision`, which must not lie in the future; undefined when that is forgotten. */
  treeAt(revision: number): OrderedTree<CacheEntry> | undefined {
    if (revision < this.#baseRevision) return undefined;
    const at = this.#after(revision);
    return at === this.#first ? this.#baseTree : this.#events[at - 1]?.tree;
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
    this.#baseTree = oldest.tree;
    this.#baseRevision = oldest.revision;
    this.#first++;
  }
}
