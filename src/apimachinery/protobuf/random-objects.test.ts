import { expect, test } from "vitest";
import { factsFiles } from "#api/generated/facts.ts";
import { type Random, seededRandom } from "#base/random.ts";
import { formatGroupVersion } from "../meta/api-object.ts";
import { decodeObject } from "../schema/decode.ts";
import { normalizeObject } from "../schema/normalize.ts";
import { isRegistered, schemaFor } from "../schema/registry.ts";
import type { FieldSchema, ScalarFormat, StructSchema, TypeSchema } from "../schema/type-schema.ts";
import { decodeProtobuf } from "./decode.ts";
import { encodeMessage } from "./encode.ts";
import { inEnvelope } from "./envelope.ts";

const DEPTH_MAX = 7;

const SCALARS: Readonly<Record<ScalarFormat, readonly unknown[]>> = {
  string: ["", "a", "ü\u{1f600}", "line\nbreak", "x".repeat(200)],
  bool: [true, false],
  int32: [0, 1, -1, 300, 2147483647, -2147483648],
  int64: [0, 1, -1, 4294967296, 9007199254740991, -9007199254740991],
  uint8: [0, 255],
  float64: [0, 1.5, -2, 1e300],
  bytes: ["", "AA==", "/+8="],
  quantity: ["0", "100m", "1Gi", "1500m", "-1"],
  time: ["2026-02-28T23:59:59Z", "1970-01-01T00:00:00Z", "1900-01-01T00:00:00Z"],
  "micro-time": ["2026-02-28T23:59:59.000001Z", "1969-12-31T23:59:59.999999Z"],
  duration: ["0s", "1m30s", "1h0m0.5s"],
  "int-or-string": [0, 80, -1, "", "http", "25%"],
};

/** Makes values of types, small ones rather than large. */
class Generator {
  readonly #random: Random;
  constructor(random: Random) {
    this.#random = random;
  }

  #pick(count: number): number {
    return Math.floor(this.#random.float() * count);
  }

  struct(schema: StructSchema, depth: number): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    for (const field of schema.fields.values()) {
      const inMessage = field.protobufPath.at(-1) !== 0;
      if (inMessage && this.#random.float() < (depth < 2 ? 0.9 : 0.35)) object[field.name] = this.value(field.type, depth + 1);
    }
    return object;
  }

  scalarField({ name, type }: FieldSchema): (readonly [string, unknown])[] {
    return type.kind === "scalar" && this.#random.float() < 0.5 ? [[name, this.value(type, 0)]] : [];
  }

  value(type: TypeSchema, depth: number): unknown {
    switch (type.kind) {
      case "struct":
        return depth > DEPTH_MAX ? {} : this.struct(type, depth);
      case "list":
        return Array.from({ length: depth > DEPTH_MAX ? 0 : this.#pick(3) }, () => this.value(type.element, depth + 1));
      case "map":
        return Object.fromEntries(
          Array.from({ length: this.#pick(3) }, () => [
            ["k", "é", "\uffff", "\u{10000}"][this.#pick(4)],
            this.value(type.value, depth + 1),
          ]),
        );
      case "raw":
        if (type.union === undefined) return { any: [1, null, { x: "y" }] };
        // What lies in free JSON keeps empty lists, which messages lose.
        return Object.fromEntries([...type.union.object().fields.values()].flatMap((field) => this.scalarField(field)));
      case "scalar": {
        const values = SCALARS[type.format];
        return values[this.#pick(values.length)];
      }
    }
  }
}

const kinds = factsFiles.flatMap(({ group, version, types }) =>
  Object.keys(JSON.parse(types) as object).flatMap((kind) => {
    const schema = isRegistered(group, version, kind) ? schemaFor(group, version, kind) : undefined;
    const isMessage = schema !== undefined && [...schema.fields.values()].some(({ protobufPath }) => protobufPath.at(-1) !== 0);
    return isMessage ? [{ apiVersion: formatGroupVersion(group, version), kind, schema }] : [];
  }),
);

test.each([1, 2])("random objects of every kind come back from protobuf as they were (seed %i)", (seed) => {
  expect(kinds.length).toBeGreaterThan(200);
  const generator = new Generator(seededRandom(seed));
  for (const { apiVersion, kind, schema } of kinds) {
    const canonical = (value: object): object => {
      const { object } = decodeObject(schema, structuredClone(value));
      return normalizeObject(schema, { ...object, apiVersion, kind });
    };
    const given = canonical(generator.struct(schema, 0));
    const bytes = inEnvelope(apiVersion, kind, encodeMessage(schema, given));
    expect(canonical(decodeProtobuf(bytes, schemaFor)), `${apiVersion} ${kind}`).toEqual(given);
  }
});
