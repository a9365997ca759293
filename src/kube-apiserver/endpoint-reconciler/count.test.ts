import { expect, test } from "vitest";
import { addedToCount } from "./count.ts";

test.each([
  { present: [], ip: "b", count: 1, want: ["b"] },
  { present: ["a"], ip: "b", count: 3, want: ["a", "b"] },
  { present: ["a", "b"], ip: "b", count: 2, want: ["a", "b"] },
  { present: ["a", "b", "c"], ip: "d", count: 3, want: ["b", "c", "d"] },
  { present: ["a", "b", "c"], ip: "aa", count: 3, want: ["a", "aa", "c"] },
  { present: ["a"], ip: "b", count: 0, want: ["b"] },
])("$ip beside $present where $count have room", ({ present, ip, count, want }) => {
  expect(addedToCount(present, ip, count)).toEqual(want);
});
