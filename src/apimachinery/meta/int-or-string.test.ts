import { expect, test } from "vitest";
import { scaledIntOrPercent } from "./int-or-string.ts";

test.each<[number | string, number, boolean, number]>([
  [3, 10, true, 3],
  ["25%", 10, true, 3],
  ["25%", 10, false, 2],
  ["0%", 10, true, 0],
  ["150%", 4, false, 6],
])("%j of %d, rounded up: %j", (value, total, roundUp, want) => {
  expect(scaledIntOrPercent(value, total, roundUp)).toBe(want);
});

test.each([
  ["3", "invalid value for IntOrString: invalid type: string is not a percentage"],
  ["a%", 'invalid value for IntOrString: invalid value "a%": strconv.Atoi: parsing "a": invalid syntax'],
])("%j is no share", (value, message) => {
  expect(() => scaledIntOrPercent(value, 10, true)).toThrow(new Error(message));
});
