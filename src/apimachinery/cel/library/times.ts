import { type Declaration, declareMethod } from "../declarations.ts";
import { floorDiv, SECOND } from "../time-text.ts";
import { DURATION, INT, STRING, TIMESTAMP } from "../types.ts";
import { CelError, type Duration, type Timestamp } from "../values.ts";

/** What is asked of a moment: method, upstream's word for it, and the answer from a date and its nanoseconds. */
const PARTS: readonly (readonly [string, string, (date: Date, nanos: bigint) => number])[] = [
  ["getFullYear", "year", (date) => date.getUTCFullYear()],
  ["getMonth", "month", (date) => date.getUTCMonth()],
  ["getDayOfYear", "day_of_year", dayOfYear],
  ["getDayOfMonth", "day_of_month", (date) => date.getUTCDate() - 1],
  ["getDate", "day_of_month_1_based", (date) => date.getUTCDate()],
  ["getDayOfWeek", "day_of_week", (date) => date.getUTCDay()],
  ["getHours", "hours", (date) => date.getUTCHours()],
  ["getMinutes", "minutes", (date) => date.getUTCMinutes()],
  ["getSeconds", "seconds", (date) => date.getUTCSeconds()],
  ["getMilliseconds", "milliseconds", (_, nanos) => Number(nanos / 1_000_000n)],
];

const UNITS: readonly (readonly [string, string, bigint])[] = [
  ["getHours", "hours", 3600n * SECOND],
  ["getMinutes", "minutes", 60n * SECOND],
  ["getSeconds", "seconds", SECOND],
  ["getMilliseconds", "milliseconds", SECOND / 1000n],
];

/** The parts of moments and of durations. */
export const times: readonly Declaration[] = [
  ...PARTS.flatMap(([name, word, part]) => [
    declareMethod(name, `timestamp_to_${word}`, [TIMESTAMP], INT, ([moment]) => ask(moment as Timestamp, 0, part)),
    declareMethod(name, `timestamp_to_${word}_with_tz`, [TIMESTAMP, STRING], INT, ([moment, zone]) => {
      return ask(moment as Timestamp, zoneOffset(zone as string, moment as Timestamp), part);
    }),
  ]),
  ...UNITS.map(([name, word, unit]) =>
    declareMethod(name, `duration_to_${word}`, [DURATION], INT, ([duration]) => (duration as Duration).nanos / unit),
  ),
];

function ask({ nanos }: Timestamp, offset: number, part: (date: Date, nanos: bigint) => number): bigint {
  const local = nanos + BigInt(offset) * SECOND;
  const seconds = floorDiv(local, SECOND);
  return BigInt(part(new Date(Number(seconds) * 1000), local - seconds * SECOND));
}

function dayOfYear(date: Date): number {
  const start = new Date(date);
  start.setUTCMonth(0, 1);
  return Math.round((date.getTime() - start.getTime()) / 86_400_000);
}

function zoneOffset(zone: string, { nanos }: Timestamp): number {
  const colon = zone.indexOf(":");
  if (colon < 0) return namedOffset(zone, nanos);
  const [hours, minutes] = [zone.slice(0, colon), zone.slice(colon + 1)].map((part) => {
    if (!/^[+-]?\d+$/.test(part)) throw new CelError(`strconv.Atoi: parsing "${part}": invalid syntax`);
    return Number(part);
  }) as [number, number];
  if (minutes < 0 || minutes > 59) throw new CelError(`timezone offset minutes out of range [0, 59]: ${zone}`);
  return (zone.startsWith("-") ? hours * 60 - minutes : hours * 60 + minutes) * 60;
}

/** How far a place's clock is ahead of UTC at a moment. */
function namedOffset(zone: string, nanos: bigint): number {
  if (zone === "" || zone === "UTC") return 0;
  const moment = new Date(Number(floorDiv(nanos, SECOND)) * 1000);
  try {
    const name = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" })
      .formatToParts(moment)
      .find(({ type }) => type === "timeZoneName")?.value;
    const [, sign, hours = "0", minutes = "0", seconds = "0"] = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?/.exec(name ?? "") ?? [];
    return (sign === "-" ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds));
  } catch {
    throw new CelError(`unknown time zone ${zone}`);
  }
}
