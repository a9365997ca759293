import { keyOf, metaOf } from "./object-meta.ts";

/** The values under which an index finds an object. */
export type IndexFunction<T> = (object: T) => readonly string[];

interface Index<T> {
  readonly keysOf: IndexFunction<T>;
  /** Index value to object key to object. */
  readonly entries: Map<string, Map<string, T>>;
}

/** Told of what comes into a cache and what leaves it, so that it knows of all without looking at them. */
export interface Tally<T> {
  add(object: T): void;
  /** The very object that was added. */
  remove(object: T): void;
}

/** Objects by namespace and name, and by any number of indexes. Holds what it is given: read-only. */
export class ObjectCache<T extends object> {
  readonly #namespaces = new Map<string, Map<string, T>>();
  readonly #indexes = new Map<string, Index<T>>();
  readonly #tallies: Tally<T>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(namespace: string, name: string): T | undefined {
    return this.#namespaces.get(namespace)?.get(name);
  }

  /** All objects of a namespace, or of all when it is empty. */
  list(namespace = ""): T[] {
    if (namespace !== "") return [...(this.#namespaces.get(namespace)?.values() ?? [])];
    const all: T[] = [];
    // Not by spreading: there may be more objects than a call takes arguments.
    for (const objects of this.#namespaces.values()) for (const object of objects.values()) all.push(object);
    return all;
  }

  /** Adds an index, or keeps the one of that name. */
  addIndex(name: string, keysOf: IndexFunction<T>): void {
    if (this.#indexes.has(name)) return;
    const index: Index<T> = { keysOf, entries: new Map() };
    this.#indexes.set(name, index);
    for (const object of this.list()) insert(index, keyOf(object), object);
  }

  /** Adds a tally, which is told at once of all that is there. */
  addTally(tally: Tally<T>): void {
    this.#tallies.push(tally);
    for (const object of this.list()) tally.add(object);
  }

  byIndex(name: string, value: string): T[] {
    return [...(this.#filedUnder(name, value)?.values() ?? [])];
  }

  /** How many objects {@link byIndex} would give. */
  countByIndex(name: string, value: string): number {
    return this.#filedUnder(name, value)?.size ?? 0;
  }

  /** Returns what stood there before. */
  set(object: T): T | undefined {
    const { namespace = "", name = "" } = metaOf(object);
    let objects = this.#namespaces.get(namespace);
    if (objects === undefined) {
      objects = new Map();
      this.#namespaces.set(namespace, objects);
    }
    const old = objects.get(name);
    objects.set(name, object);
    if (old === undefined) this.#size++;
    const key = keyOf(object);
    for (const index of this.#indexes.values()) {
      if (old === undefined) insert(index, key, object);
      else replace(index, key, old, object);
    }
    for (const tally of this.#tallies) {
      if (old !== undefined) tally.remove(old);
      tally.add(object);
    }
    return old;
  }

  /** Returns what was removed. */
  delete(namespace: string, name: string): T | undefined {
    const objects = this.#namespaces.get(namespace);
    const old = objects?.get(name);
    if (objects === undefined || old === undefined) return undefined;
    objects.delete(name);
    this.#size--;
    if (objects.size === 0) this.#namespaces.delete(namespace);
    const key = keyOf(old);
    for (const index of this.#indexes.values()) remove(index, key, old);
    for (const tally of this.#tallies) tally.remove(old);
    return old;
  }

  #filedUnder(name: string, value: string): ReadonlyMap<string, T> | undefined {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new Error(`no index ${name}`);
    return index.entries.get(value);
  }
}

function insert<T extends object>(index: Index<T>, key: string, object: T): void {
  for (const value of index.keysOf(object)) {
    const entries = index.entries.get(value);
    if (entries === undefined) index.entries.set(value, new Map([[key, object]]));
    else entries.set(key, object);
  }
}

/** Most changes of an object leave the values as they are under which it is found. */
function replace<T extends object>(index: Index<T>, key: string, old: T, object: T): void {
  const before = index.keysOf(old);
  const now = index.keysOf(object);
  if (before.length === now.length && before.every((value, i) => value === now[i])) {
    for (const value of now) index.entries.get(value)?.set(key, object);
    return;
  }
  remove(index, key, old);
  insert(index, key, object);
}

function remove<T extends object>(index: Index<T>, key: string, object: T): void {
  for (const value of index.keysOf(object)) {
    const entries = index.entries.get(value);
    entries?.delete(key);
    if (entries?.size === 0) index.entries.delete(value);
  }
}
