import { equal } from "../comparison.ts";
import { CelError, CelList, CelMap, type CelValue, Duration, Timestamp, Uint } from "../values.ts";

/** A list whose elements are made when they are looked at. */
export class SchemaList extends CelList {
  readonly size: number;
  readonly #element: (at: number) => CelValue;

  constructor(size: number, element: (at: number) => CelValue) {
    super();
    this.size = size;
    this.#element = element;
  }

  at(index: number): CelValue {
    return this.#element(index);
  }
}

/** A list of type `set`: its order makes no difference, and adding puts in what is not there. */
export class SchemaSetList extends SchemaList {
  override plus(other: CelList): CelList {
    const seen = new Set<string>();
    const union: CelValue[] = [];
    for (const element of this) {
      seen.add(scalarKey(element));
      union.push(element);
    }
    for (const element of other) {
      const key = scalarKey(element);
      if (!seen.has(key)) union.push(element);
      seen.add(key);
    }
    return new SchemaSetList(union.length, (at) => union[at] ?? null);
  }

  override equalsInOwnWay(other: CelList): boolean {
    const mine = new Set(Array.from(this, scalarKey));
    const theirs = new Set(Array.from(other, scalarKey));
    return mine.size === theirs.size && [...theirs].every((key) => mine.has(key));
  }
}

/** A list of type `map`: elements are known by their keys, and adding puts those of the same keys in the others' place. */
export class SchemaMapList extends SchemaList {
  readonly #keys: readonly string[];

  constructor(size: number, element: (at: number) => CelValue, keys: readonly string[]) {
    super(size, element);
    this.#keys = keys;
  }

  #keyOf(element: CelValue): string {
    if (!(element instanceof CelMap))
      throw new CelError("unexpected data format for element of array with x-kubernetes-list-type=map");
    return JSON.stringify(this.#keys.map((key) => scalarKey(element.find(key) ?? null)));
  }

  override plus(other: CelList): CelList {
    const merged = new Map<string, CelValue>();
    for (const element of this) merged.set(this.#keyOf(element), element);
    for (const element of other) merged.set(this.#keyOf(element), element);
    const elements = [...merged.values()];
    return new SchemaMapList(elements.length, (at) => elements[at] ?? null, this.#keys);
  }

  override equalsInOwnWay(other: CelList): boolean {
    const mine = new Map(Array.from(this, (element) => [this.#keyOf(element), element] as const));
    const seen = new Set<string>();
    for (const element of other) {
      const key = this.#keyOf(element);
      const same = mine.get(key);
      if (same === undefined || !equal(same, element)) return false;
      seen.add(key);
    }
    return seen.size === mine.size;
  }
}

function scalarKey(value: CelValue): string {
  if (value instanceof CelList || value instanceof CelMap) {
    throw new CelError("listSet operations are only supported on lists of scalar values");
  }
  if (value instanceof Uint) return `u${value.value}`;
  if (value instanceof Timestamp || value instanceof Duration) return `t${value.nanos}`;
  return value instanceof Uint8Array ? `b${value.join()}` : `${typeof value}:${String(value)}`;
}
