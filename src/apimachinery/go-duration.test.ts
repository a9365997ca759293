import { expect, test } from "vitest";
import { parseGoDuration } from "./go-duration.ts";

test.each([
  ["0", 0],
  ["1s", 1000],
  ["1h15m30.5s", 4_530_500],
  ["-1.5h", -5_400_000],
  ["+.5ms", 0.5],
  ["5.s", 5000],
])("%s is read", (text, ms) => {
  expect(parseGoDuration(text)).toBe(ms);
});

test.each([
  ["", 'time: invalid duration ""'],
  ["bad", 'time: invalid duration "bad"'],
  ["30", 'time: missing unit in duration "30"'],
  ["1d", 'time: unknown unit "d" in duration "1d"'],
  ["1s.", 'time: invalid duration "1s."'],
  ["9999999h", 'time: invalid duration "9999999h"'],
])("%j is refused", (text, message) => {
  expect(() => parseGoDuration(text)).toThrow(message);
});
