import { expect, test } from "vitest";
import { parseCronSchedule } from "./cron-schedule.ts";
import { formatTimeInZone } from "./time-zone.ts";

const at = (time: string): number => Date.parse(time);

test.each([
  ["* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"],
  ["* * * * *", "2026-01-01T00:00:59.999Z", "2026-01-01T00:01:00Z"],
  ["0 0 1 1 *", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"],
  ["*/15 8-10 * * mon-fri", "2026-01-02T10:45:00Z", "2026-01-05T08:00:00Z"],
  ["30 6-16/4 * * 1-5", "2026-01-05T06:30:00Z", "2026-01-05T10:30:00Z"],
  ["0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"],
  ["0 0 31 2 *", "2026-01-01T00:00:00Z", undefined],
  // Either of two restrictions is enough.
  ["0 0 13 * fri", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"],
  ["0 0 */2 * fri", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"],
  ["0 0 ? * fri", "2026-01-02T00:00:00Z", "2026-01-09T00:00:00Z"],
  ["5/20 * * * *", "2026-01-01T00:05:00Z", "2026-01-01T00:25:00Z"],
  ["@hourly", "2026-01-01T00:00:01Z", "2026-01-01T01:00:00Z"],
  ["@every 90s", "2026-01-01T00:00:00.500Z", "2026-01-01T00:01:30Z"],
  ["@every 10ms", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"],
  ["TZ=America/New_York 0 9 * * *", "2026-01-01T00:00:00Z", "2026-01-01T14:00:00Z"],
  ["TZ=Asia/Kolkata 0 0 * * *", "2026-01-01T00:00:00Z", "2026-01-01T18:30:00Z"],
  // Clocks go from 2 to 3 on this day: half past two does not come.
  ["TZ=Europe/Berlin 30 2 * * *", "2026-03-28T02:00:00Z", "2026-03-30T00:30:00Z"],
  // And from 3 to 2 on this one: it comes twice.
  ["TZ=Europe/Berlin 30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"],
  ["TZ=Europe/Berlin 30 2 * * *", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"],
])("%s after %s", (schedule, after, want) => {
  const next = parseCronSchedule(schedule).next(at(after));
  expect(next).toBe(want === undefined ? undefined : at(want));
});

const ATOI = "strconv.Atoi: parsing";

test.each([
  ["", "empty spec string"],
  ["* * * *", "expected exactly 5 fields, found 4: [* * * *]"],
  ["constructor", "expected exactly 5 fields, found 1: [constructor]"],
  ["TZ=UTC", "expected exactly 5 fields, found 0: []"],
  ["60 * * * *", "end of range (60) above maximum (59): 60"],
  ["* * 0 * *", "beginning of range (0) below minimum (1): 0"],
  ["5-2 * * * *", "beginning of range (5) beyond end of range (2): 5-2"],
  ["*/0 * * * *", "step of range should be a positive number: */0"],
  ["1-2-3 * * * *", "too many hyphens: 1-2-3"],
  ["*/2/3 * * * *", "too many slashes: */2/3"],
  ["a * * * *", `failed to parse int from a: ${ATOI} "a": invalid syntax`],
  ["-1 * * * *", `failed to parse int from : ${ATOI} "": invalid syntax`],
  ["*/-5 * * * *", "negative number (-5) not allowed: -5"],
  ["@often", "unrecognized descriptor: @often"],
  ["@every soon", 'failed to parse duration @every soon: time: invalid duration "soon"'],
])("%j is none: %s", (text, message) => {
  expect(() => parseCronSchedule(text)).toThrow(new Error(message));
});

test.each([
  ["UTC", "2026-01-01T00:00:00Z"],
  ["America/New_York", "2025-12-31T19:00:00-05:00"],
  ["Asia/Kolkata", "2026-01-01T05:30:00+05:30"],
])("a time in %s", (zone, want) => {
  expect(formatTimeInZone(zone, at("2026-01-01T00:00:00Z"))).toBe(want);
});
