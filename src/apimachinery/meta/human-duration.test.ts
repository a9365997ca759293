import { expect, test } from "vitest";
import { humanDuration, timeSince } from "./human-duration.ts";

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000] as const;

// As upstream's own table for `HumanDuration`.
test.each([
  [SECOND, "1s"],
  [70 * SECOND, "70s"],
  [190 * SECOND, "3m10s"],
  [70 * MINUTE, "70m"],
  [47 * HOUR, "47h"],
  [49 * HOUR, "2d1h"],
  [8 * DAY + 2 * HOUR, "8d"],
  [367 * DAY, "367d"],
  [365 * 2 * DAY + 25 * HOUR, "2y1d"],
  [365 * 8 * DAY + 2 * HOUR, "8y"],
  [-SECOND, "0s"],
  [-2 * SECOND, "<invalid>"],
])("%d ms are %s", (ms, want) => {
  expect(humanDuration(ms)).toBe(want);
});

test.each([
  ["2026-01-01T00:00:00Z", "3m"],
  [null, "<unknown>"],
  ["yesterday", "<unknown>"],
])("since %j it is %s", (time, want) => {
  expect(timeSince(time, Date.parse("2026-01-01T00:03:00Z"))).toBe(want);
});
