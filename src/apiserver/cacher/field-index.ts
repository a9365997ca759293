import { sortKey } from "#storage/key-order.ts";
import { OrderedTree } from "#storage/memory/ordered-tree.ts";
import type { CacheEntry } from "./cache-entry.ts";
import { DecodingPace } from "./decoding-pace.ts";
import type { Attribute } from "./watch-group.ts";

const NOTHING: OrderedTree<CacheEntry> = new OrderedTree();

/** What an entry's place in the index costs, in bytes that are decoded meanwhile. Measured: a microsecond, in which it is 150. */
const PUTTING = 128;

/**
 * The objects of a resource by one of their fields, those of one value in key order as all are. So a list of one node's Pods costs
 * what those are, not what all Pods are. Upstream's watch cache has the same (`cache.Indexers` of a storage's `Config`).
 *
 * What was there before it must be looked at once, which takes long where nothing of it is decoded: in pieces for who can wait, and at
 * once for who cannot. Changes are followed from the beginning.
 */
export class FieldIndex {
  readonly #attribute: Attribute;
  /** The objects that there are, by their keys. */
  readonly #current: ReadonlyMap<string, CacheEntry>;
  readonly #shares = new Map<string, OrderedTree<CacheEntry>>();
  #isWhole = false;
  #filling: Promise<void> | undefined;

  constructor(attribute: Attribute, current: ReadonlyMap<string, CacheEntry>) {
    this.#attribute = attribute;
    this.#current = current;
  }

  /** Lets requests be answered while it is made whole; undefined when it is. */
  ready(): Promise<void> | undefined {
    if (this.#isWhole) return undefined;
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = undefined;
    });
    return this.#filling;
  }

  /** All objects of the value. Never waits: takes in all that is missing. */
  share(value: string): OrderedTree<CacheEntry> {
    if (!this.#isWhole) {
      for (const entry of this.#current.values()) this.#put(this.#valueOf(entry), entry);
      this.#isWhole = true;
    }
    return this.#known(value);
  }

  /** Follows one change; undefined for what was not there before, or is no longer. */
  replace(previous: CacheEntry | undefined, entry: CacheEntry | undefined): void {
    const before = previous && this.#valueOf(previous);
    const after = entry && this.#valueOf(entry);
    if (previous !== undefined && before !== undefined && before !== after) this.#take(before, previous);
    if (entry !== undefined && after !== undefined) this.#put(after, entry);
  }

  async #fill(): Promise<void> {
    const pace = new DecodingPace();
    for (const entry of [...this.#current.values()]) {
      const pause = pace.before(entry, PUTTING);
      if (pause !== undefined) await pause;
      if (this.#isWhole) return;
      // What is no longer so was followed when it changed.
      if (this.#current.get(entry.key) === entry) this.#put(this.#valueOf(entry), entry);
    }
    this.#isWhole = true;
  }

  /** What was taken in of the value. */
  #known(value: string): OrderedTree<CacheEntry> {
    return this.#shares.get(value) ?? NOTHING;
  }

  /** What is bytes only stays so: of a store that was just loaded hardly an object is ever decoded. */
  #valueOf(entry: CacheEntry): string {
    const { isDecoded } = entry;
    const value = this.#attribute.of(entry);
    if (!isDecoded) entry.release();
    return value;
  }

  #put(value: string, entry: CacheEntry): void {
    this.#shares.set(value, this.#known(value).with(sortKey(entry.key), entry));
  }

  #take(value: string, entry: CacheEntry): void {
    const left = this.#known(value).without(sortKey(entry.key));
    if (left.size === 0) this.#shares.delete(value);
    else this.#shares.set(value, left);
  }
}
