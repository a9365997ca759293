import { expect, test } from "vitest";
import { warningHeaders } from "./warning-headers.ts";

test.each([
  { name: "each once", warnings: ["a", "b", "a", ""], want: ['299 - "a"', '299 - "b"'] },
  { name: "quoted", warnings: ['a "b" \\'], want: ['299 - "a \\"b\\" \\\\"'] },
  { name: "bytes of UTF-8", warnings: ["ü"], want: ['299 - "\u00c3\u00bc"'] },
  { name: "no control characters", warnings: ["a\nb", "c"], want: ['299 - "c"'] },
])("$name", ({ warnings, want }) => {
  expect(warningHeaders(warnings)).toEqual(want);
});

test("what is too long together is cut, and ends", () => {
  const long = Array.from({ length: 30 }, (_, i) => `${i} `.padEnd(400, "x"));
  const headers = warningHeaders(long);
  expect(headers).toHaveLength(16);
  expect(new Set(headers.map((header) => header.length))).toEqual(new Set([256 + '299 - ""'.length]));
});

test("what fits is left as it is", () => {
  const [header] = warningHeaders(["x".repeat(4096)]);
  expect(header).toHaveLength(4096 + '299 - ""'.length);
});
