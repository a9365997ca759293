import { expect, test } from "vitest";
import { memoized } from "./memo.ts";

test("makes each value once, until the limit is reached", () => {
  const made: string[] = [];
  const upper = memoized(2, (text) => {
    made.push(text);
    return text.toUpperCase();
  });
  expect(["a", "b", "a", "b", "c", "a"].map(upper)).toEqual(["A", "B", "A", "B", "C", "A"]);
  expect(made).toEqual(["a", "b", "c", "a"]);
});

test("remembers neither long texts nor failures", () => {
  let calls = 0;
  const length = memoized(
    10,
    (text) => {
      calls++;
      if (text === "") throw new Error("empty");
      return text.length;
    },
    3,
  );
  expect([length("long"), length("long")]).toEqual([4, 4]);
  expect(() => length("")).toThrow("empty");
  expect(() => length("")).toThrow("empty");
  expect(calls).toBe(4);
});
