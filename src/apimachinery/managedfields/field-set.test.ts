import { expect, test } from "vitest";
import { type FieldSet, isFieldSet, subtractSets, unionOfAll, unionSets } from "./field-set.ts";

const SET = { "f:metadata": { "f:labels": { ".": {}, "f:app": {} } }, "f:status": { "f:phase": {} } } as FieldSet;

test.each<{ name: string; a: FieldSet; b: FieldSet; want: FieldSet }>([
  { name: "a part of it", a: SET, b: { "f:metadata": { "f:labels": { "f:app": {} } } } as FieldSet, want: SET },
  { name: "another copy of it", a: SET, b: structuredClone(SET), want: SET },
  { name: "a leaf of it", a: SET, b: { "f:status": { "f:phase": {} } } as FieldSet, want: SET },
])("a set that has $name is its union with it", ({ a, b, want }) => {
  expect(unionSets(a, b)).toBe(want);
});

test.each<{ name: string; a: unknown; b: unknown; want: string }>([
  {
    name: "new steps stand where they belong",
    a: { "f:b": {} },
    b: { "f:a": {}, "f:c": {} },
    want: '{"f:a":{},"f:b":{},"f:c":{}}',
  },
  { name: "what is out of order is put in order", a: { "f:b": {}, "f:a": {} }, b: { "f:a": {} }, want: '{"f:a":{},"f:b":{}}' },
  {
    name: "a member that gets children is marked",
    a: { "f:a": {} },
    b: { "f:a": { "f:b": {} } },
    want: '{"f:a":{".":{},"f:b":{}}}',
  },
  {
    name: "a path that becomes a member is marked",
    a: { "f:a": { "f:b": {} } },
    b: { "f:a": {} },
    want: '{"f:a":{".":{},"f:b":{}}}',
  },
  { name: "a mark without children is none", a: { "f:a": { ".": {} } }, b: { "f:a": {} }, want: '{"f:a":{}}' },
])("a union: $name", ({ a, b, want }) => {
  expect(JSON.stringify(unionSets(a as FieldSet, b as FieldSet))).toBe(want);
});

test.each<{ name: string; a: unknown; b: unknown; want: string }>([
  {
    name: "a member of a path stays with its children",
    a: { "f:a": { ".": {}, "f:b": {} } },
    b: { "f:a": { "f:b": {} } },
    want: '{"f:a":{}}',
  },
  {
    name: "children stay without their path",
    a: { "f:a": { ".": {}, "f:b": {} } },
    b: { "f:a": {} },
    want: '{"f:a":{"f:b":{}}}',
  },
  {
    name: "what loses its last child goes",
    a: { "f:a": { "f:b": {} }, "f:c": {} },
    b: { "f:a": { "f:b": {} } },
    want: '{"f:c":{}}',
  },
])("a difference: $name", ({ a, b, want }) => {
  expect(JSON.stringify(subtractSets(a as FieldSet, b as FieldSet))).toBe(want);
});

test("what takes nothing away leaves the set itself", () => {
  expect(subtractSets(SET, { "f:spec": {}, "f:status": { "f:podIP": {} } } as FieldSet)).toBe(SET);
});

test.each([
  [{ "f:a": { ".": {} }, 'k:{"name":"c"}': {}, "v:1": {}, "i:-3": {} }, true],
  [{ "x:a": {} }, false],
  [{ 'k:{"name"': {} }, false],
  [{ "i:a": {} }, false],
  [{ f: {} }, false],
  [{ "f:a": "text" }, false],
])("%j is a set that upstream can read: %s", (value, want) => {
  expect(isFieldSet(value)).toBe(want);
});

test.each([0, 1, 2, 5, 8])("%i sets are joined as one after the other would be", (count) => {
  const sets = Array.from({ length: count }, (_, i): FieldSet => {
    const labels = { [`f:l${i % 3}`]: {}, ...(i % 2 === 0 ? { ".": {} } : {}) };
    return { "f:metadata": { "f:labels": labels }, ...(i === 4 ? { "f:data": {} } : {}) } as FieldSet;
  });
  const oneByOne = sets.reduce((joined, set) => unionSets(joined, set), {} as FieldSet);
  expect(JSON.stringify(unionOfAll(sets))).toBe(JSON.stringify(unionSets({} as FieldSet, oneByOne)));
});
