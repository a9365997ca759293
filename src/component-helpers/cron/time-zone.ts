import { memoized } from "#base/memo.ts";

/** Zones have some 600 names, each in any mixture of upper and lower case. */
const FORMATS_REMEMBERED = 600;

const formatOf = memoized(FORMATS_REMEMBERED, (timeZone) => new Intl.DateTimeFormat("en-US", formatOptions(timeZone)));

/** How far a time zone's clocks are ahead of UTC at a moment, in milliseconds. Throws a RangeError for an unknown zone. */
export function zoneOffsetMs(timeZone: string, atMs: number): number {
  if (timeZone === "UTC") return 0;
  const parts: Record<string, number> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(atMs)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(atMs / 1000) * 1000;
}

function formatOptions(timeZone: string): Intl.DateTimeFormatOptions {
  const digits = "numeric";
  return {
    timeZone,
    hourCycle: "h23",
    year: digits,
    month: digits,
    day: digits,
    hour: digits,
    minute: digits,
    second: digits,
  };
}

/** A moment in a zone, as Go's RFC 3339. */
export function formatTimeInZone(timeZone: string, atMs: number): string {
  const offsetMs = zoneOffsetMs(timeZone, atMs);
  const local = new Date(atMs + offsetMs).toISOString().slice(0, 19);
  if (offsetMs === 0) return `${local}Z`;
  const minutes = Math.abs(offsetMs) / 60_000;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  return `${local}${offsetMs < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
}
