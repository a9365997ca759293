import { beforeAll, expect, test } from "vitest";
import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { loadPatterns, type PatternCompiler } from "./patterns.ts";
import { type Before, validateAgainstSchema } from "./schema-validator.ts";

let patterns: PatternCompiler;
beforeAll(async () => {
  patterns = await loadPatterns();
});

interface Case {
  readonly name: string;
  readonly schema: JSONSchemaProps;
  readonly value: unknown;
  readonly before?: Before;
  readonly want: readonly string[];
}

const f = (schema: JSONSchemaProps): JSONSchemaProps => ({ type: "object", properties: { f: schema } });

const cases: readonly Case[] = [
  { name: "a fitting value", schema: f({ type: "string" }), value: { f: "a" }, want: [] },
  {
    name: "another type",
    schema: f({ type: "string" }),
    value: { f: 1 },
    want: ['f: Invalid value: "integer": f in body must be of type string: "integer"'],
  },
  {
    name: "a fraction for an integer",
    schema: f({ type: "integer" }),
    value: { f: 1.5 },
    want: [
      'f: Invalid value: "number": f in body must be of type integer: "number"',
      '<nil>: Invalid value: "": Checked value must be of type integer (default format) in f',
    ],
  },
  { name: "an integer for a number", schema: f({ type: "number" }), value: { f: 1 }, want: [] },
  {
    name: "a value of another type than its format",
    schema: f({ type: "string", format: "date" }),
    value: { f: 1 },
    want: ['f: Invalid value: "int64": f in body must be of type date: "int64"'],
  },
  { name: "a format that nothing checks", schema: f({ type: "string", format: "odd" }), value: { f: "x" }, want: [] },
  { name: "null where it may be", schema: f({ type: "string", nullable: true }), value: { f: null }, want: [] },
  { name: "an absent required field", schema: { type: "object", required: ["f"] }, value: {}, want: ["f: Required value"] },
  {
    name: "a text that is too long for its pattern to be asked",
    schema: f({ type: "string", maxLength: 2, pattern: "^a$" }),
    value: { f: "bbb" },
    want: ["f: Too long: may not be more than 2 bytes"],
  },
  {
    name: "a pattern",
    schema: f({ type: "string", pattern: "^a+$" }),
    value: { f: "b" },
    want: [`f: Invalid value: "b": f in body should match '^a+$'`],
  },
  {
    name: "an enumeration",
    schema: f({ type: "string", enum: ["a", "b"] }),
    value: { f: "c" },
    want: ['f: Unsupported value: "c": supported values: "a", "b"'],
  },
  { name: "a multiple of a fraction", schema: f({ type: "number", multipleOf: 0.1 }), value: { f: 0.3 }, want: [] },
  {
    name: "a whole number beyond a bound that is none",
    schema: f({ type: "integer", maximum: 10.5 }),
    value: { f: 12 },
    want: [
      '<nil>: Invalid value: "": Maximum boundary value must be of type integer (default format) in f',
      "f: Invalid value: 12: f in body should be less than or equal to 10.5",
    ],
  },
  {
    name: "a fraction beyond a large bound",
    schema: f({ type: "number", maximum: 2_000_000 }),
    value: { f: 2_500_000.5 },
    want: ["f: Invalid value: 2.5000005e+06: f in body should be less than or equal to 2e+06"],
  },
  {
    name: "a whole number beyond the whole part of a bound",
    schema: f({ type: "number", minimum: 2.5 }),
    value: { f: 1 },
    want: ["f: Invalid value: 1: f in body should be greater than or equal to 2"],
  },
  {
    name: "values of maps",
    schema: { type: "object", additionalProperties: { type: "string" } },
    value: { a: 1 },
    want: ['a: Invalid value: "integer": .a in body must be of type string: "integer"'],
  },
  {
    name: "items beyond the limit",
    schema: f({ type: "array", maxItems: 1, items: { type: "string" } }),
    value: { f: ["a", "b"] },
    want: ["f: Too many: 2: must have at most 1 item"],
  },
  {
    name: "one of none",
    schema: f({ type: "string", oneOf: [{ minLength: 5 }, { pattern: "^x" }] }),
    value: { f: "a" },
    want: [
      '<nil>: Invalid value: "": "f" must validate one and only one schema (oneOf). Found none valid',
      'f: Invalid value: "a": f in body should be at least 5 chars long',
    ],
  },
  {
    name: "what was wrong before and did not change",
    schema: f({ type: "string", maxLength: 1 }),
    value: { f: "long", g: "new" },
    before: { value: { f: "long" } },
    want: [],
  },
  {
    name: "an item with the same key that did not change",
    schema: f({
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["k"],
      items: { type: "object", properties: { k: { type: "string" }, v: { type: "string", maxLength: 1 } } },
    }),
    value: { f: [{ k: "new" }, { k: "a", v: "long" }] },
    before: { value: { f: [{ k: "a", v: "long" }] } },
    want: [],
  },
];

test.each(cases)("$name", ({ schema, value, before, want }) => {
  const errors = validateAgainstSchema(schema, value, "", patterns, before);
  expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual(want);
});
