import { expect, test } from "vitest";
import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { compileStructural } from "../schema/structural.ts";
import { validateListTypes } from "./list-types.ts";

const set: JSONSchemaProps = { type: "array", "x-kubernetes-list-type": "set", items: {} };
const map = (...keys: readonly string[]): JSONSchemaProps => ({
  type: "array",
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": keys,
  items: {},
});

test.each<{ name: string; schema: JSONSchemaProps; list: unknown[]; want: string[] }>([
  { name: "a set", schema: set, list: ["a", "b", 1, "1"], want: [] },
  { name: "a set, repeated more than once", schema: set, list: ["a", "b", "a", "a"], want: ['f[2]: Duplicate value: "a"'] },
  {
    name: "objects in a set, whatever the order of their members",
    schema: set,
    list: [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    want: ['f[1]: Duplicate value: {"a":1,"b":2}'],
  },
  { name: "keys", schema: map("k"), list: [{ k: "a" }, { k: "b" }], want: [] },
  { name: "a repeated key", schema: map("k"), list: [{ k: "a", v: 1 }, { k: "a" }], want: ['f[1]: Duplicate value: {"k":"a"}'] },
  {
    name: "two keys",
    schema: map("k", "p"),
    list: [
      { k: "a", p: 1 },
      { k: "a", p: 2 },
      { k: "a", p: 1 },
    ],
    want: ['f[2]: Duplicate value: {"k":"a","p":1}'],
  },
  { name: "absent keys", schema: map("k"), list: [{}, {}], want: ["f[1]: Duplicate value: {}"] },
  {
    name: "items that are no objects",
    schema: map("k"),
    list: ["a"],
    want: ['f[0]: Invalid value: "a": must be an object for an array of list-type map'],
  },
])("$name", ({ schema, list, want }) => {
  const errors = validateListTypes(compileStructural({ type: "object", properties: { f: schema } }), { f: list });
  expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual(want);
});
