import { expect, test } from "vitest";
import { compileJsonPath } from "./json-path.ts";

const object = {
  spec: {
    replicas: 3,
    "a.b": "dotted",
    none: null,
    list: ["a", "b", "c"],
    boxes: [
      { n: 1, k: "x" },
      { n: 2, k: "y" },
    ],
  },
  status: {
    conditions: [
      { type: "Ready", status: "True" },
      { type: "Idle", status: "False" },
    ],
  },
};

test.each<[string, readonly unknown[]]>([
  [".spec.replicas", [3]],
  ["{.spec.replicas}", [3]],
  [".spec.absent.further", []],
  [".spec.none", [null]],
  [".spec['a.b']", ["dotted"]],
  [".spec.a\\.b", ["dotted"]],
  [".spec.list[0]", ["a"]],
  [".spec.list[-1]", ["c"]],
  [".spec.list[-1:]", ["c"]],
  [".spec.list[0:2]", ["a", "b"]],
  [".spec.list[0,2]", ["a", "c"]],
  [".spec.list[*]", ["a", "b", "c"]],
  [".spec.list[9]", []],
  [".spec.replicas[0]", []],
  [".spec.boxes[*].n", [1, 2]],
  [".spec.boxes[?(@.n>1)].k", ["y"]],
  ['.spec.boxes[?(@.k=="x")].n', [1]],
  [".spec.boxes[?(@.k)].n", [1, 2]],
  ['.status.conditions[?(@.type=="Ready")].status', ["True"]],
  ["..type", ["Ready", "Idle"]],
  [".spec['a.b','replicas']", ["dotted", 3]],
  [".spec.boxes[?('a=b'=='a=b')].n", [1, 2]],
  ['.spec.boxes[?("x"==@.k)].n', [1]],
  ['.spec.boxes[?(@.k!="\\"")].n', [1, 2]],
  // One item without the field spoils the comparison.
  ['.spec.boxes[?(@.absent=="x")].n', []],
])("%s", (path, want) => {
  expect(compileJsonPath(path)?.(object)).toEqual(want);
});

test.each([
  "spec.replicas",
  ".spec[",
  ".spec[x]",
  ".spec[?(1 2)]",
  ".a[?(@.b=)]",
  ".a[?(@.b==)]",
  ".a[?(@.b='c)]",
  ".a".repeat(6000),
])("%s is no path", (path) => {
  expect(compileJsonPath(path)).toBeUndefined();
});

test("what finds the same things again and again finds nothing in the end", () => {
  expect(compileJsonPath(".spec..a")?.({ spec: { x: { a: 1 }, a: 2 } })).toEqual([2, 1]);
  const deep = Array.from({ length: 60 }).reduce<object>((inner) => ({ a: inner }), {});
  expect(compileJsonPath("..*")?.(deep)).toHaveLength(60);
  expect(compileJsonPath("..*".repeat(8))?.(deep)).toEqual([]);
});
