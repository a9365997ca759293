import { expect, test } from "vitest";
import { deepCopy } from "./deep-copy.ts";
import { semanticEqual } from "./deep-equal.ts";

test.each<[string, unknown, unknown, boolean]>([
  ["the order of keys", { a: 1, b: 2 }, { b: 2, a: 1 }, true],
  ["the order of items", [1, 2], [2, 1], false],
  ["absent, null and an empty list", { a: [], b: null }, {}, true],
  ["an empty object is something", { a: {} }, {}, false],
  ["zero is something", { a: 0 }, {}, false],
  ["a list and an object", [], {}, false],
  ["deep down", { a: [{ b: undefined, c: [1] }] }, { a: [{ c: [1] }] }, true],
])("%s", (_, a, b, want) => {
  expect([semanticEqual(a, b), semanticEqual(b, a)]).toEqual([want, want]);
});

test("a copy is equal, shares nothing, and keeps the names that JavaScript has taken", () => {
  const object: unknown = JSON.parse('{"a":[{"b":null}],"__proto__":{"x":1}}');
  const copy = deepCopy(object) as { a: { b: unknown }[] };
  expect(JSON.stringify(copy)).toBe(JSON.stringify(object));
  copy.a[0] = { b: 1 };
  expect(JSON.stringify(object)).toContain('"b":null');
});
