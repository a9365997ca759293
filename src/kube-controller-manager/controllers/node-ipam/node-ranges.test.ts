import { expect, test } from "vitest";
import { NodeRanges } from "./node-ranges.ts";

test("each node has a range of its own, which is free again when it is gone", () => {
  const ranges = new NodeRanges("10.200.0.0/22", 24);
  expect(["a", "b", "a"].map((node) => ranges.allocate(node))).toEqual(["10.200.0.0/24", "10.200.1.0/24", "10.200.0.0/24"]);
  ranges.occupy("c", "10.200.2.0/24");
  expect(["d", "e"].map((node) => ranges.allocate(node))).toEqual(["10.200.3.0/24", undefined]);
  ranges.release("b");
  expect(ranges.allocate("e")).toBe("10.200.1.0/24");
});

test("what belongs to Services is given to no node", () => {
  const ranges = new NodeRanges("10.0.0.0/22", 24, "10.0.0.0/23");
  expect(["a", "b", "c"].map((node) => ranges.allocate(node))).toEqual(["10.0.2.0/24", "10.0.3.0/24", undefined]);
  const apart = new NodeRanges("10.0.0.0/23", 24, "10.96.0.0/12");
  expect(["a", "b"].map((node) => apart.allocate(node))).toEqual(["10.0.0.0/24", "10.0.1.0/24"]);
});

test.each([
  ["10.0.0/8", 24],
  ["fd00::/48", 64],
  ["10.0.0.0/24", 16],
])("%s in ranges of /%i is refused", (cidr, maskSize) => {
  expect(() => new NodeRanges(cidr, maskSize)).toThrow();
});
