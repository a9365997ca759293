import { CelError, Duration, Timestamp } from "./values.ts";

const UNIT_NANOS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

const INT_MAX = 2n ** 63n - 1n;
const SECONDS_MIN = -62_135_596_800n;
const SECONDS_MAX = 253_402_300_799n;

/** Nanoseconds in a second. */
export const SECOND: bigint = 1_000_000_000n;

/** A duration as Go's `time.ParseDuration` reads it, to the nanosecond; undefined for what is none. */
export function parseDuration(text: string): Duration | undefined {
  const match = /^([+-]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+|0)$/.exec(text);
  if (match === null) return undefined;
  let total = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of (match[2] ?? "").matchAll(/(\d*)(?:\.(\d*))?([a-z\u00b5\u03bc]+)/g)) {
    const nanos = UNIT_NANOS[unit] ?? 0n;
    total += BigInt(whole === "" ? "0" : whole) * nanos;
    if (fraction !== "") total += (BigInt(fraction) * nanos) / 10n ** BigInt(fraction.length);
  }
  if (total > INT_MAX) return undefined;
  return new Duration(match[1] === "-" ? -total : total);
}

/** Seconds, with as many decimals as there are. */
export function durationText({ nanos }: Duration): string {
  const positive = nanos < 0n ? -nanos : nanos;
  const fraction = String(positive % SECOND)
    .padStart(9, "0")
    .replace(/0+$/, "");
  return `${nanos < 0n ? "-" : ""}${positive / SECOND}${fraction === "" ? "" : `.${fraction}`}s`;
}

/** A moment as RFC 3339 writes it; undefined for what is none. Throws beyond the years 1 to 9999. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = "", zone = "Z"] = match;
  const [m, d, h, min, s] = [month, day, hour, minute, second].map(Number) as [number, number, number, number, number];
  if (h > 23 || min > 59 || s > 59 || m < 1 || m > 12 || d < 1 || d > daysIn(Number(year), m)) return undefined;
  const offset = zoneOffset(zone);
  if (offset === undefined) return undefined;
  const seconds = BigInt(utcSeconds(Number(year), m, d) + h * 3600 + min * 60 + s - offset);
  const nanos = BigInt(fraction.slice(0, 9).padEnd(9, "0"));
  return checkedTimestamp(seconds * SECOND + nanos, offset);
}

function zoneOffset(zone: string): number | undefined {
  if (zone === "Z") return 0;
  const [hours = 0, minutes = 0] = zone.slice(1).split(":").map(Number);
  if (hours > 24 || minutes > 60) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 3600 + minutes * 60);
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
}

function utcSeconds(year: number, month: number, day: number): number {
  // Shifted by whole cycles of the calendar: Date.UTC takes small years for those of the last century.
  return Date.UTC(year + 400, month - 1, day) / 1000 - 12_622_780_800;
}

/** A moment, if it is within the years 1 to 9999. */
export function checkedTimestamp(nanos: bigint, offsetSeconds: number): Timestamp {
  const seconds = floorDiv(nanos, SECOND);
  if (seconds < SECONDS_MIN || seconds > SECONDS_MAX) throw new CelError("timestamp overflow");
  return new Timestamp(nanos, offsetSeconds);
}

/** A moment in the zone that it was given in, with as many decimals of the second as there are. */
export function timestampText({ nanos, offsetSeconds }: Timestamp): string {
  const local = nanos + BigInt(offsetSeconds) * SECOND;
  const seconds = floorDiv(local, SECOND);
  const fraction = String(local - seconds * SECOND)
    .padStart(9, "0")
    .replace(/0+$/, "");
  const date = new Date(Number(seconds) * 1000);
  const year = date.getUTCFullYear();
  // A zone can move a moment into the year before 1 or behind 9999.
  const shown = `${year < 0 ? "-" : ""}${String(Math.abs(year)).padStart(4, "0")}${date.toISOString().slice(-20, -5)}`;
  return `${shown}${fraction === "" ? "" : `.${fraction}`}${zoneText(offsetSeconds)}`;
}

function zoneText(offset: number): string {
  if (offset === 0) return "Z";
  const minutes = Math.trunc(Math.abs(offset) / 60);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${offset < 0 ? "-" : "+"}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`;
}

/** Division towards minus infinity. */
export function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}
