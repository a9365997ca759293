import fc, { type Arbitrary, type GeneratorValue } from "fast-check";
import { factsFiles } from "#api/generated/facts.ts";
import { type ApiObject, formatGroupVersion } from "#apimachinery/meta/api-object.ts";
import { decodeObject } from "#apimachinery/schema/decode.ts";
import { normalizeObject } from "#apimachinery/schema/normalize.ts";
import { isRegistered, schemaFor } from "#apimachinery/schema/registry.ts";
import type { ScalarFormat, ScalarSchema, StructSchema, TypeSchema } from "#apimachinery/schema/type-schema.ts";

/** A built-in kind. */
export interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly schema: StructSchema;
}

/** Every kind that the facts know and that has a form in protobuf. */
export const KINDS: readonly Kind[] = factsFiles.flatMap(({ group, version, types }) =>
  Object.keys(JSON.parse(types) as object).flatMap((kind) => {
    const schema = isRegistered(group, version, kind) ? schemaFor(group, version, kind) : undefined;
    const isMessage = schema !== undefined && [...schema.fields.values()].some(({ protobufPath }) => protobufPath.at(-1) !== 0);
    return isMessage ? [{ group, version, kind, schema }] : [];
  }),
);

/** Levels below which structs and lists are left empty. */
const DEPTH_MAX = 7;

const SCALARS: Readonly<Record<ScalarFormat, readonly unknown[]>> = {
  string: ["", "a", "b-c", "ü\u{1f600}", "line\nbreak ", " #x: y", "on", "0x1F", "1e3", "-", "x".repeat(100)],
  bool: [true, false],
  int32: [0, 1, -1, 80, 2147483647, -2147483648],
  int64: [0, 1, -1, 4294967296, 9007199254740991, -9007199254740991],
  uint8: [0, 255],
  float64: [0, 1.5, -2, 1e300, 1e-7],
  bytes: ["", "AA==", "/+8="],
  quantity: ["0", "100m", "1Gi", "1500m", "-1", "1e3", "12345678901234567890"],
  time: ["2026-02-28T23:59:59Z", "1970-01-01T00:00:00Z", "1900-01-01T00:00:00Z"],
  "micro-time": ["2026-02-28T23:59:59.000001Z", "1969-12-31T23:59:59.999999Z"],
  duration: ["0s", "1m30s", "1h0m0.5s"],
  "int-or-string": [0, 80, -1, "", "http", "25%"],
};
const KEYS = ["k", "a.b/c", "é", "\uffff", "\u{10000}", "constructor", "1", "toString"];
const JSONS: readonly unknown[] = [{ any: [1, null, { x: "y" }] }, {}, { kind: "A", apiVersion: "v1", metadata: { name: "n" } }];

/** Objects of a kind as a client may send them: of the right types, small ones rather than large, each field there or not. */
export function objectsOf({ schema }: Pick<Kind, "schema">): Arbitrary<Record<string, unknown>> {
  return fc.gen().map((draw) => new Maker(draw).struct(schema, 0));
}

class Maker {
  readonly #draw: GeneratorValue;
  constructor(draw: GeneratorValue) {
    this.#draw = draw;
  }

  #below(limit: number): number {
    return this.#draw(fc.nat, limit - 1);
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#below(values.length)] as T;
  }

  struct(schema: StructSchema, depth: number): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    for (const field of schema.fields.values()) {
      if (field.protobufPath.at(-1) === 0) continue;
      const percent = depth < 2 ? 85 : field.required ? 60 : depth > 4 ? 12 : 30;
      // Shrinks towards fields that are not there.
      if (this.#below(100) >= 100 - percent) object[field.name] = this.value(field.type, depth + 1);
    }
    return object;
  }

  value(type: TypeSchema, depth: number): unknown {
    switch (type.kind) {
      case "struct":
        return depth > DEPTH_MAX ? {} : this.struct(type, depth);
      case "list":
        return Array.from({ length: depth > DEPTH_MAX ? 0 : this.#below(3) }, () => this.value(type.element, depth + 1));
      case "map":
        return Object.fromEntries(
          Array.from({ length: this.#below(3) }, () => [this.#pick(KEYS), this.value(type.value, depth + 1)]),
        );
      case "raw":
        if (type.union === undefined) return structuredClone(this.#pick(JSONS));
        // Such types contain themselves, many times over.
        return depth > DEPTH_MAX ? {} : this.struct(type.union.object(), Math.max(depth + 1, DEPTH_MAX - 1));
      case "scalar":
        return this.#scalar(type);
    }
  }

  #scalar({ enum: words, format }: ScalarSchema): unknown {
    // A word that is none of them is of the right type, too.
    return words.length > 0 && this.#below(10) > 0 ? this.#pick(words) : this.#pick(SCALARS[format]);
  }
}

/** The form in which the server keeps an object: read, and written without what says nothing. */
export function canonical({ group, version, kind, schema }: Kind, value: object): ApiObject {
  const { object } = decodeObject(schema, structuredClone(value));
  return normalizeObject(schema, { ...object, apiVersion: formatGroupVersion(group, version), kind }) as unknown as ApiObject;
}
