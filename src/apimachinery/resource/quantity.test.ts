import { expect, test } from "vitest";
import {
  canonicalQuantity,
  formatQuantity,
  parseQuantity,
  quantityAdd,
  quantityCompare,
  quantityMilliValue,
  quantityRoundUp,
  quantityValue,
} from "./quantity.ts";

const canonical: readonly (readonly [string | number, string])[] = [
  ["0", "0"],
  ["1000m", "1"],
  ["0.5", "500m"],
  [".5", "500m"],
  ["1.", "1."],
  ["001", "001"],
  ["+5", "+5"],
  ["1e3", "1e3"],
  ["1E3", "1E3"],
  ["1000k", "1M"],
  ["1024k", "1024k"],
  ["1Ki", "1Ki"],
  ["1048576Ki", "1Gi"],
  ["1.5Gi", "1536Mi"],
  ["1000000", "1M"],
  ["1500u", "1500u"],
  ["9007199254740993", "9007199254740993"],
  ["8Ei", "9223372036854775807"],
  ["1e19", "10e18"],
  ["1e400", "10e399"],
  ["0m", "0"],
  ["-0", "0"],
  ["3.0Mi", "3Mi"],
  ["Gi", "0"],
  [" 1", "1"],
  ["0.0000000001", "1n"],
  ["0.5Ki", "512"],
  ["1e-400", "1e-9"],
  [5, "5"],
  [0.1, "100m"],
  ["0.1Ki", "102400m"],
];
test.each(canonical)("%j is stored as %s", (input, want) => {
  expect(canonicalQuantity(input)).toBe(want);
});

const wrong: readonly (readonly [string, string])[] = [
  ["", "quantities must match"],
  ["1gi", "quantities must match"],
  ["1GB", "quantities must match"],
  ["1..0", "quantities must match"],
  ["1e", "unable to parse quantity's suffix"],
  ["--1", "unable to parse quantity's suffix"],
  ["1e1.5", "quantities must match"],
  ["NaN", "quantities must match"],
];
test.each(wrong)("%j is refused", (input, want) => {
  expect(() => parseQuantity(input)).toThrow(want);
});

test("amounts add, compare and round", () => {
  expect(formatQuantity(quantityAdd(parseQuantity("0"), parseQuantity("1Gi")))).toBe("1Gi");
  expect(formatQuantity(quantityAdd(parseQuantity("100m"), parseQuantity("900m")))).toBe("1");
  expect(quantityCompare(parseQuantity("1Gi"), parseQuantity("1G"))).toBe(1);
  expect(quantityMilliValue(parseQuantity("1u"))).toBe(1);
  expect(quantityValue(parseQuantity("1500m"))).toBe(2);
  expect(formatQuantity(quantityRoundUp(parseQuantity("1500u"), -3))).toBe("2m");
});
