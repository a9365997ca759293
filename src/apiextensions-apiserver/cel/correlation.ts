import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { itemSchema, valueSchema } from "#apimachinery/cel/schema/schema-shape.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { correlatedItem } from "./map-list.ts";

/** A part of an object beside what it was before; upstream's `CorrelatedObject`. */
export class Correlated {
  readonly #value: unknown;
  readonly #old: unknown;
  readonly #schema: JSONSchemaProps;
  #same: boolean | undefined;

  constructor(value: unknown, old: unknown, schema: JSONSchemaProps) {
    this.#value = value;
    this.#old = old;
    this.#schema = schema;
  }

  /** Whether nothing was changed. */
  get unchanged(): boolean {
    this.#same ??= semanticEqual(this.#value, this.#old);
    return this.#same;
  }

  /** A member that is there now and was there before. */
  key(name: string): Correlated | undefined {
    const { properties = {} } = this.#schema;
    const schema = Object.hasOwn(properties, name) ? properties[name] : valueSchema(this.#schema);
    const [value, old] = [asObject(this.#value), asObject(this.#old)];
    if (schema === undefined || value === undefined || old === undefined) return undefined;
    if (!Object.hasOwn(value, name) || !Object.hasOwn(old, name)) return undefined;
    return new Correlated(value[name], old[name], schema);
  }

  /** An element of a list whose elements have keys. */
  index(at: number): Correlated | undefined {
    const schema = itemSchema(this.#schema);
    if (schema === undefined || !Array.isArray(this.#value)) return undefined;
    const value: unknown = this.#value[at];
    const old = correlatedItem(this.#schema, this.#old, value);
    return old === undefined ? undefined : new Correlated(value, old, schema);
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}

/** Whether failures at a place are only warned of: nothing was changed there, or around it. KEP-4008. */
export class Ratchet {
  readonly #current: Correlated | undefined;
  readonly #parent: Correlated | undefined;

  constructor(current: Correlated | undefined, parent: Correlated | undefined) {
    this.#current = current;
    this.#parent = parent;
  }

  get forgives(): boolean {
    return (this.#current ?? this.#parent)?.unchanged === true;
  }

  key(name: string): Ratchet {
    if (this.#current === undefined) return this;
    // Both versions are converted to the same one.
    if (this.#parent === undefined && (name === "apiVersion" || name === "kind")) return new Ratchet(undefined, undefined);
    return new Ratchet(this.#current.key(name), this.#current);
  }

  index(at: number): Ratchet {
    return this.#current === undefined ? this : new Ratchet(this.#current.index(at), this.#current);
  }

  /** Rules in `allOf` are not forgiven by what is at their own place. */
  get inAllOf(): Ratchet {
    return new Ratchet(undefined, this.#parent);
  }
}
