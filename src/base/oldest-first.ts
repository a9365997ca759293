/** A Set or a Map: both keep their keys in the order in which they came. */
interface Keyed<K> {
  readonly size: number;
  keys(): IterableIterator<K>;
}

/**
 * Finds the oldest key of a Set or a Map again and again, for who removes it then. A new iterator looks at the places of all
 * that were removed before it, until V8 lays the table out anew: of 200,000 keys that cost 28 µs each. This one goes on where
 * it was, and finds what came meanwhile.
 */
export class OldestFirst<K> {
  readonly #keyed: Keyed<K>;
  #keys: Iterator<K> | undefined;

  constructor(keyed: Keyed<K>) {
    this.#keyed = keyed;
  }

  /** The oldest key, undefined when there is none. It must be removed before the next one is asked for. */
  next(): K | undefined {
    if (this.#keyed.size === 0) return undefined;
    const found = this.#keys?.next();
    if (found?.done === false) return found.value;
    // An iterator that has come to an end finds nothing any more.
    this.#keys = this.#keyed.keys();
    return this.#keys.next().value;
  }
}
