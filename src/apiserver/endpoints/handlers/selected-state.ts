import { sortKey } from "#storage/key-order.ts";
import { OrderedTree } from "#storage/memory/ordered-tree.ts";
import type { CacheEntry } from "../../cacher/cache-entry.ts";
import { DecodingPace } from "../../cacher/decoding-pace.ts";
import type { ResourceCache } from "../../cacher/resource-cache.ts";
import { filterMatches, type ObjectFilter } from "../../cacher/watch-group.ts";

/**
 * The objects that a filter lets through, for a watch that begins with them: it must begin in one piece, but to look at all objects takes
 * long where they are still to be decoded. So they are looked at before, in pieces, and then what has changed meanwhile.
 */
export class SelectedState {
  readonly #cache: ResourceCache;
  readonly #filter: ObjectFilter;
  readonly #looked: OrderedTree<CacheEntry>;
  readonly #selected: OrderedTree<CacheEntry>;

  private constructor(cache: ResourceCache, filter: ObjectFilter, looked: OrderedTree<CacheEntry>, selected: CacheEntry[]) {
    this.#cache = cache;
    this.#filter = filter;
    this.#looked = looked;
    const keys = selected.map(({ key }) => sortKey(key));
    this.#selected = OrderedTree.ofSorted(keys, selected);
  }

  /** Lets requests be answered while objects are looked at. */
  static async of(cache: ResourceCache, filter: ObjectFilter): Promise<SelectedState> {
    const tree = candidates(cache, filter);
    const pace = new DecodingPace();
    const selected: CacheEntry[] = [];
    for (const entry of inPlace(cache, filter, tree)) {
      const pause = pace.before(entry);
      if (pause !== undefined) await pause;
      if (filterMatches(filter, entry)) selected.push(entry);
    }
    return new SelectedState(cache, filter, tree, selected);
  }

  /** Those that there are now, in the order of lists. */
  now(): readonly CacheEntry[] {
    let selected = this.#selected;
    for (const { key, value } of candidates(this.#cache, this.#filter).changesSince(this.#looked)) {
      selected = value !== undefined && filterMatches(this.#filter, value) ? selected.with(key, value) : selected.without(key);
    }
    return selected.range("", undefined);
  }
}

/** The entries of the filter's namespace. */
export function inPlace(cache: ResourceCache, { namespace }: ObjectFilter, tree: OrderedTree<CacheEntry>): CacheEntry[] {
  return cache.range(tree, namespace === "" ? cache.prefix : `${cache.prefix}${namespace}/`);
}

/** What the filter may let through. */
export function candidates(cache: ResourceCache, { mark }: ObjectFilter): OrderedTree<CacheEntry> {
  return cache.treeOf(mark) ?? cache.tree;
}
