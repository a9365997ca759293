import { expect, test } from "vitest";
import { NodeRanges } from "./node-ranges.ts";

test.each([
  ["10.200.0.0/22", 24, ["10.200.0.0/24", "10.200.1.0/24", "10.200.2.0/24", "10.200.3.0/24"]],
  ["fd00:200::/62", 64, ["fd00:200::/64", "fd00:200:0:1::/64", "fd00:200:0:2::/64", "fd00:200:0:3::/64"]],
])("each node has a range of its own in %s, which is free again when it is gone", (cidr, maskSize, [one, two, three, four]) => {
  const ranges = new NodeRanges(cidr, maskSize);
  expect(["a", "b", "a"].map((node) => ranges.allocate(node))).toEqual([one, two, one]);
  ranges.occupy("c", three ?? "");
  expect(["d", "e"].map((node) => ranges.allocate(node))).toEqual([four, undefined]);
  ranges.release("b");
  expect(ranges.allocate("e")).toBe(two);
});

test("what lies elsewhere, or is of another family, takes nothing", () => {
  const ranges = new NodeRanges("10.200.0.0/23", 24);
  for (const cidr of ["10.199.255.0/24", "10.200.2.0/24", "fd00::/64", "nonsense"]) ranges.occupy("x", cidr);
  expect(["a", "b", "c"].map((node) => ranges.allocate(node))).toEqual(["10.200.0.0/24", "10.200.1.0/24", undefined]);
});

test("what belongs to Services is given to no node", () => {
  const ranges = new NodeRanges("10.0.0.0/22", 24, ["fd00::/108", "10.0.0.0/23"]);
  expect(["a", "b", "c"].map((node) => ranges.allocate(node))).toEqual(["10.0.2.0/24", "10.0.3.0/24", undefined]);
  const apart = new NodeRanges("10.0.0.0/23", 24, ["10.96.0.0/12"]);
  expect(["a", "b"].map((node) => apart.allocate(node))).toEqual(["10.0.0.0/24", "10.0.1.0/24"]);
  const six = new NodeRanges("fd00::/62", 64, ["10.0.0.0/24", "fd00:0:0:1::/112"]);
  expect(["a", "b"].map((node) => six.allocate(node))).toEqual(["fd00::/64", "fd00:0:0:2::/64"]);
});

test.each([
  ["10.0.0/8", 24],
  ["fd00::/47", 64],
  ["10.0.0.0/24", 16],
  ["10.0.0.0/24", 33],
])("%s in ranges of /%i is refused", (cidr, maskSize) => {
  expect(() => new NodeRanges(cidr, maskSize)).toThrow();
});
