/** A priority queue of items with keys, from which any item can be taken. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #positions = new Map<string, number>();
  readonly #key: (item: T) => string;
  readonly #less: (a: T, b: T) => boolean;

  constructor(options: { key: (item: T) => string; less: (a: T, b: T) => boolean }) {
    this.#key = options.key;
    this.#less = options.less;
  }

  get size(): number {
    return this.#items.length;
  }

  get(key: string): T | undefined {
    const at = this.#positions.get(key);
    return at === undefined ? undefined : this.#items[at];
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  /** Adds an item, or replaces the one with its key. */
  set(item: T): void {
    const key = this.#key(item);
    const at = this.#positions.get(key) ?? this.#items.length;
    this.#place(item, at);
    this.#sink(this.#rise(at));
  }

  pop(): T | undefined {
    const first = this.#items[0];
    if (first !== undefined) this.delete(this.#key(first));
    return first;
  }

  delete(key: string): T | undefined {
    const at = this.#positions.get(key);
    if (at === undefined) return undefined;
    const item = this.#items[at];
    this.#positions.delete(key);
    const last = this.#items.pop();
    if (last !== undefined && at < this.#items.length) {
      this.#place(last, at);
      this.#sink(this.#rise(at));
    }
    return item;
  }

  #place(item: T, at: number): void {
    this.#items[at] = item;
    this.#positions.set(this.#key(item), at);
  }

  #rise(start: number): number {
    let at = start;
    const item = this.#items[at] as T;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      const above = this.#items[parent] as T;
      if (!this.#less(item, above)) break;
      this.#place(above, at);
      at = parent;
    }
    this.#place(item, at);
    return at;
  }

  #sink(start: number): void {
    let at = start;
    const item = this.#items[at] as T;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#items.length) break;
      const right = child + 1;
      if (right < this.#items.length && this.#less(this.#items[right] as T, this.#items[child] as T)) child = right;
      const below = this.#items[child] as T;
      if (!this.#less(below, item)) break;
      this.#place(below, at);
      at = child;
    }
    this.#place(item, at);
  }
}
