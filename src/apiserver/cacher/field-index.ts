import { sortKey } from "#storage/key-order.ts";
import { OrderedTree } from "#storage/memory/ordered-tree.ts";
import type { CacheEntry } from "./cache-entry.ts";
import type { Attribute } from "./watch-group.ts";

const NOTHING: OrderedTree<CacheEntry> = new OrderedTree();

/**
 * The objects of a resource by one of their fields, those of one value in key order as all are. So a list of one node's Pods costs
 * what those are, not what all Pods are. Upstream's watch cache has the same (`cache.Indexers` of a storage's `Config`).
 */
export class FieldIndex {
  readonly #attribute: Attribute;
  readonly #shares = new Map<string, OrderedTree<CacheEntry>>();

  constructor(attribute: Attribute, entries: Iterable<CacheEntry>) {
    this.#attribute = attribute;
    for (const entry of entries) this.#put(this.#valueOf(entry), entry);
  }

  /** All objects of the value. */
  share(value: string): OrderedTree<CacheEntry> {
    return this.#shares.get(value) ?? NOTHING;
  }

  /** Follows one change; undefined for what was not there before, or is no longer. */
  replace(previous: CacheEntry | undefined, entry: CacheEntry | undefined): void {
    const before = previous && this.#valueOf(previous);
    const after = entry && this.#valueOf(entry);
    if (previous !== undefined && before !== undefined && before !== after) this.#take(before, previous);
    if (entry !== undefined && after !== undefined) this.#put(after, entry);
  }

  /** What is bytes only stays so: of a store that was just loaded hardly an object is ever decoded. */
  #valueOf(entry: CacheEntry): string {
    const { isDecoded } = entry;
    const value = this.#attribute.of(entry);
    if (!isDecoded) entry.release();
    return value;
  }

  #put(value: string, entry: CacheEntry): void {
    this.#shares.set(value, this.share(value).with(sortKey(entry.key), entry));
  }

  #take(value: string, entry: CacheEntry): void {
    const left = this.share(value).without(sortKey(entry.key));
    if (left.size === 0) this.#shares.delete(value);
    else this.#shares.set(value, left);
  }
}
