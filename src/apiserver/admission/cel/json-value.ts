import { CelList, CelMap, type CelValue } from "#apimachinery/cel/values.ts";

/** A JSON value as expressions see it without a schema. Nothing is converted before it is looked at. */
export function jsonValue(value: unknown): CelValue {
  switch (typeof value) {
    case "number":
      return Number.isSafeInteger(value) ? BigInt(value) : value;
    case "string":
    case "boolean":
    case "bigint":
      return value;
    case "object":
      if (value === null) return null;
      return Array.isArray(value) ? new JsonList(value) : new JsonMap(value as Readonly<Record<string, unknown>>);
    default:
      return null;
  }
}

class JsonList extends CelList {
  readonly #items: readonly unknown[];

  constructor(items: readonly unknown[]) {
    super();
    this.#items = items;
  }

  get size(): number {
    return this.#items.length;
  }

  at(index: number): CelValue {
    return jsonValue(this.#items[index]);
  }
}

class JsonMap extends CelMap {
  readonly #members: Readonly<Record<string, unknown>>;

  constructor(members: Readonly<Record<string, unknown>>) {
    super();
    this.#members = members;
  }

  get size(): number {
    return Object.keys(this.#members).length;
  }

  find(key: CelValue): CelValue | undefined {
    if (typeof key !== "string" || !Object.hasOwn(this.#members, key)) return undefined;
    const value = this.#members[key];
    return value === undefined ? undefined : jsonValue(value);
  }

  keys(): Iterable<CelValue> {
    return Object.keys(this.#members);
  }
}
