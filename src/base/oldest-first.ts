/** A Set or a Map: both keep their keys in the order in which they came. */
interface Keyed<K> {
  readonly size: number;
  keys(): IterableIterator<K>;
}

/**
 * Finds the oldest key of a Set or a Map again and again, for who removes it then. A new iterator looks at the places of all
 * that were removed before it, until V8 lays the table out anew: of 200,000 keys that cost 28 µs each. This one goes on where
 * it was, and finds what came meanwhile.
 *
 * V8 keeps every table that was laid out since an iterator moved for that iterator. It is held weakly, so that where keys come and go
 * and nobody asks for the oldest, the garbage collector takes both; then a new one begins.
 */
export class OldestFirst<K> {
  readonly #keyed: Keyed<K>;
  #keys: WeakRef<Iterator<K>> | undefined;

  constructor(keyed: Keyed<K>) {
    this.#keyed = keyed;
  }

  /** The oldest key, undefined when there is none. It must be removed before the next one is asked for. */
  next(): K | undefined {
    if (this.#keyed.size === 0) return undefined;
    const found = this.#keys?.deref()?.next();
    if (found?.done === false) return found.value;
    // An iterator that has come to an end finds nothing any more.
    const keys = this.#keyed.keys();
    this.#keys = new WeakRef(keys);
    return keys.next().value;
  }
}
