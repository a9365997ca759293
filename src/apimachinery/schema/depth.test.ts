import { describe, expect, test } from "vitest";
import { DEPTH_MAX, isTextTooDeep, isValueTooDeep } from "./depth.ts";

const lists = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

describe("text", () => {
  test.each([
    { name: "as deep as may be", text: lists(DEPTH_MAX), want: false },
    { name: "deeper", text: lists(DEPTH_MAX + 1), want: true },
    { name: "deeper and broken off", text: '{"a":'.repeat(DEPTH_MAX + 1), want: true },
    { name: "wide", text: `[${"[],".repeat(DEPTH_MAX)}[]]`, want: false },
    { name: "brackets in a string", text: `["${"[".repeat(2 * DEPTH_MAX)}"]`, want: false },
    { name: "brackets behind an escaped quote", text: `["\\"${"[".repeat(2 * DEPTH_MAX)}"]`, want: false },
    { name: "brackets behind an escaped backslash", text: `["\\\\",${lists(DEPTH_MAX)}]`, want: true },
    { name: "a string without end", text: `["${"[".repeat(2 * DEPTH_MAX)}`, want: false },
  ])("$name", ({ text, want }) => {
    expect(isTextTooDeep(text)).toBe(want);
  });
});

test("values", () => {
  expect(isValueTooDeep(JSON.parse(lists(DEPTH_MAX)))).toBe(false);
  expect(isValueTooDeep(JSON.parse(lists(DEPTH_MAX + 1)))).toBe(true);
  expect(isValueTooDeep("x")).toBe(false);
});
