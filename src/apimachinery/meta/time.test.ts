import { expect, test } from "vitest";
import { formatMicroTime, formatTime, parseTime } from "./time.ts";

test.each([
  [0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"],
  [1_767_225_599_999.75, "2025-12-31T23:59:59Z", "2025-12-31T23:59:59.999750Z"],
  [1_767_225_600_000, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000Z"],
])("%d ms are %s", (ms, time, microTime) => {
  expect([formatTime(ms), formatMicroTime(ms)]).toEqual([time, microTime]);
});

test.each([
  ["2026-01-01T01:00:00+01:00", 1_767_225_600_000],
  ["2026-01-01T00:00:00.250000Z", 1_767_225_600_250],
  ["soon", undefined],
  ["", undefined],
  [null, undefined],
])("%j is %d", (text, want) => {
  expect(parseTime(text)).toBe(want);
});
