/** An expression's failure while it runs: absorbed by `&&`, `||` and the loops of `all` and `exists`. No Error: there are many, and none has a stack. */
export class CelError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** What a call answers to arguments that none of its signatures takes. */
export function noSuchOverload(): CelError {
  return new CelError("no such overload");
}

/** An unsigned 64-bit integer. Signed ones are bigints, doubles are numbers. */
export class Uint {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

/** A moment, and how far the clock that it was read from is ahead of UTC. */
export class Timestamp {
  readonly nanos: bigint;
  readonly offsetSeconds: number;

  constructor(nanos: bigint, offsetSeconds = 0) {
    this.nanos = nanos;
    this.offsetSeconds = offsetSeconds;
  }
}

/** A length of time. */
export class Duration {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** A value that may be absent. */
export class Optional {
  readonly value: CelValue | undefined;

  constructor(value: CelValue | undefined) {
    this.value = value;
  }
}

/** What `type(x)` gives. */
export class TypeValue {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** A value of one of the libraries' own types. */
export abstract class LibraryValue {
  abstract readonly typeName: string;

  abstract equals(other: LibraryValue): boolean;

  /** What the cost of passing it on grows with; undefined for what has none. */
  get size(): number | undefined {
    return undefined;
  }
}

/** A list. */
export abstract class CelList {
  abstract readonly size: number;

  /** The element there; the index is within the list. */
  abstract at(index: number): CelValue;

  /** `this + other`. */
  plus(other: CelList): CelList {
    return new ArrayList([...this, ...other]);
  }

  /** What equality is where it is not that of the elements in their order; undefined otherwise. */
  equalsInOwnWay(_other: CelList): boolean | undefined {
    return undefined;
  }

  *[Symbol.iterator](): Iterator<CelValue> {
    for (let index = 0; index < this.size; index++) yield this.at(index);
  }
}

/** A list of values that are made. Appending shares the array: the loops of `map` and `filter` append once per element. */
export class ArrayList extends CelList {
  readonly size: number;
  readonly #items: CelValue[];

  constructor(items: CelValue[], size: number = items.length) {
    super();
    this.#items = items;
    this.size = size;
  }

  at(index: number): CelValue {
    return this.#items[index] as CelValue;
  }

  override plus(other: CelList): CelList {
    const items = this.#items.length === this.size ? this.#items : this.#items.slice(0, this.size);
    const { size } = other;
    for (let index = 0; index < size; index++) items.push(other.at(index));
    return new ArrayList(items);
  }
}

/** What may be the key of a map. */
export type MapKey = string | bigint | boolean | Uint | number;

/** A map, or an object with declared fields. */
export abstract class CelMap {
  abstract readonly size: number;

  /** The value; undefined for an absent one. */
  abstract find(key: CelValue): CelValue | undefined;

  abstract keys(): Iterable<CelValue>;

  /** What equality is where it is not that of all entries; undefined otherwise. */
  equalsInOwnWay(_other: CelMap): boolean | undefined {
    return undefined;
  }
}

/** A map that is made by an expression. */
export class EntryMap extends CelMap {
  readonly #entries: ReadonlyMap<string | bigint | boolean | number, readonly [CelValue, CelValue]>;

  constructor(entries: Iterable<readonly [CelValue, CelValue]>) {
    super();
    const made = new Map<string | bigint | boolean | number, readonly [CelValue, CelValue]>();
    for (const entry of entries) {
      const key = lookupKey(entry[0]);
      if (key === undefined) throw new CelError(`unsupported key type: ${runtimeTypeName(entry[0])}`);
      if (made.has(key)) throw new CelError(`Failed with repeated key`);
      made.set(key, entry);
    }
    this.#entries = made;
  }

  get size(): number {
    return this.#entries.size;
  }

  find(key: CelValue): CelValue | undefined {
    const known = lookupKey(key);
    return known === undefined ? undefined : this.#entries.get(known)?.[1];
  }

  *keys(): Iterable<CelValue> {
    for (const [key] of this.#entries.values()) yield key;
  }

  *entries(): Iterable<readonly [CelValue, CelValue]> {
    yield* this.#entries.values();
  }
}

/** An object that an expression makes by the name of its type. */
export class StructMap extends EntryMap {
  readonly typeName: string;

  constructor(typeName: string, entries: Iterable<readonly [CelValue, CelValue]>) {
    super(entries);
    this.typeName = typeName;
  }
}

/** Numbers that are equal are the same key, whatever their type. */
function lookupKey(key: CelValue): string | bigint | boolean | number | undefined {
  if (typeof key === "number") return Number.isInteger(key) ? BigInt(key) : key;
  if (typeof key === "string" || typeof key === "bigint" || typeof key === "boolean") return key;
  return key instanceof Uint ? key.value : undefined;
}

/** Any value of an expression. */
export type CelValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | Uint
  | Timestamp
  | Duration
  | CelList
  | CelMap
  | Optional
  | TypeValue
  | LibraryValue;

/** The name of a value's type while an expression runs. Objects with fields are maps then. */
export function runtimeTypeName(value: CelValue): string {
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return "double";
    case "string":
      return "string";
    default:
  }
  if (value === null) return "null_type";
  if (value instanceof CelList) return "list";
  if (value instanceof CelMap) return "map";
  if (value instanceof Uint) return "uint";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Timestamp) return "google.protobuf.Timestamp";
  if (value instanceof Duration) return "google.protobuf.Duration";
  if (value instanceof Optional) return "optional_type";
  return value instanceof TypeValue ? "type" : value.typeName;
}

/** A value's size as `size()` and the cost of calls count it; undefined for what has none. Strings count code points. */
export function sizeOf(value: CelValue): number | undefined {
  if (typeof value === "string") return codePoints(value);
  if (value instanceof CelList || value instanceof CelMap) return value.size;
  if (value instanceof Uint8Array) return value.length;
  return value instanceof LibraryValue ? value.size : undefined;
}

function codePoints(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit < 0xdc00 && index + 1 < text.length) {
      count--;
      index++;
    }
  }
  return count;
}
