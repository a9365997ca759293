import { expect, test } from "vitest";
import {
  countCommonIndexes,
  countIndexes,
  firstAbsentIndexes,
  formatIndexes,
  indexSetOf,
  parseIndexes,
  unionIndexes,
} from "./index-set.ts";

test.each([
  ["", 10, ""],
  ["0-2,4", 10, "0-2,4"],
  ["1,2,3,5,6", 10, "1-3,5,6"],
  ["0-9", 5, "0-4"],
  ["3,7-9", 5, "3"],
  ["0-2,x", 5, ""],
])("%j of %i is %j", (text, completions, want) => {
  expect(formatIndexes(parseIndexes(text, completions))).toBe(want);
});

test("sets are united, counted and compared", () => {
  const even = indexSetOf([4, 0, 2]);
  const low = parseIndexes("0-2", 10);
  expect(formatIndexes(unionIndexes(even, low))).toBe("0-2,4");
  expect([countIndexes(even), countCommonIndexes(even, low)]).toEqual([3, 2]);
  expect(firstAbsentIndexes(even, 3, 10)).toEqual([1, 3, 5]);
  expect(firstAbsentIndexes(even, 9, 6)).toEqual([1, 3, 5]);
});
