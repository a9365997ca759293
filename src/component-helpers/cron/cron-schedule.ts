import { parseGoDuration } from "#apimachinery/go-duration.ts";
import { zoneOffsetMs } from "./time-zone.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A schedule that is not due within five years never is. */
const HORIZON_DAYS = 5 * 366;
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const DESCRIPTORS: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};
const EVERY = "@every ";

/** When something is to happen again and again. Times are milliseconds since the Unix epoch. */
export interface CronSchedule {
  /** The first due time after a moment; undefined when there is none within five years. */
  next(afterMs: number): number | undefined;
}

interface Field {
  readonly values: ReadonlySet<number>;
  /** Says nothing: `*` or `?`. */
  readonly star: boolean;
}

/**
 * Reads a schedule as `robfig/cron` v3's standard parser does: five fields, descriptors, `@every`, a leading `TZ=` or
 * `CRON_TZ=`. Without one of these times are UTC. An hour that clocks skip is skipped, one that they repeat counts twice.
 * Throws for what it cannot read.
 */
export function parseCronSchedule(text: string): CronSchedule {
  const zone = /^(?:TZ|CRON_TZ)=(\S*)\s+/.exec(text);
  const rest = zone === null ? text : text.slice(zone[0].length);
  if (rest.startsWith(EVERY)) return everySchedule(rest.slice(EVERY.length));
  const fields = (DESCRIPTORS[rest] ?? rest).split(/\s+/).filter((field) => field !== "");
  const [minute, hour, day, month, weekday] = fields;
  if (minute === undefined || hour === undefined || day === undefined || month === undefined || weekday === undefined) {
    throw new Error(`expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`);
  }
  return new FieldSchedule(zone?.[1] || "UTC", {
    minute: parseField(minute, 0, 59, []),
    hour: parseField(hour, 0, 23, []),
    day: parseField(day, 1, 31, []),
    month: parseField(month, 1, 12, MONTHS),
    weekday: parseField(weekday, 0, 6, DAYS),
  });
}

function everySchedule(text: string): CronSchedule {
  const seconds = Math.max(1, Math.floor(parseGoDuration(text) / 1000));
  return { next: (afterMs) => Math.floor(afterMs / 1000) * 1000 + seconds * 1000 };
}

type FieldName = "minute" | "hour" | "day" | "month" | "weekday";

class FieldSchedule implements CronSchedule {
  readonly #timeZone: string;
  readonly #fields: Readonly<Record<FieldName, Field>>;
  readonly #hours: readonly number[];
  readonly #minutes: readonly number[];

  constructor(timeZone: string, fields: Readonly<Record<FieldName, Field>>) {
    this.#timeZone = timeZone;
    this.#fields = fields;
    this.#hours = [...fields.hour.values].sort((a, b) => a - b);
    this.#minutes = [...fields.minute.values].sort((a, b) => a - b);
  }

  next(afterMs: number): number | undefined {
    const localMs = afterMs + zoneOffsetMs(this.#timeZone, afterMs);
    const firstDayMs = Math.floor(localMs / DAY_MS) * DAY_MS;
    for (let days = 0; days <= HORIZON_DAYS; days++) {
      const dayMs = firstDayMs + days * DAY_MS;
      if (!this.#isDue(new Date(dayMs))) continue;
      const found = this.#firstOfDay(dayMs, afterMs);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #isDue(date: Date): boolean {
    const { day, month, weekday } = this.#fields;
    if (!month.values.has(date.getUTCMonth() + 1)) return false;
    const byDay = day.values.has(date.getUTCDate());
    const byWeekday = weekday.values.has(date.getUTCDay());
    // Two restrictions are alternatives.
    return day.star || weekday.star ? byDay && byWeekday : byDay || byWeekday;
  }

  /** `dayMs` is local midnight, as if it were UTC. */
  #firstOfDay(dayMs: number, afterMs: number): number | undefined {
    const offset = (atMs: number): number => zoneOffsetMs(this.#timeZone, atMs);
    const before = offset(dayMs - DAY_MS);
    const later = offset(dayMs + 2 * DAY_MS);
    const offsets = before === later ? [before] : [Math.max(before, later), Math.min(before, later)];
    let first: number | undefined;
    for (const hour of this.#hours) {
      for (const minute of this.#minutes) {
        const localMs = dayMs + hour * HOUR_MS + minute * MINUTE_MS;
        for (const offsetMs of offsets) {
          const atMs = localMs - offsetMs;
          if (atMs <= afterMs || atMs >= (first ?? Number.POSITIVE_INFINITY)) continue;
          if (offsets.length === 1) return atMs;
          // In the days around a change of clocks only what the clocks really show counts.
          if (offset(atMs) === offsetMs) first = atMs;
        }
      }
    }
    return first;
  }
}

function parseField(text: string, min: number, max: number, names: readonly string[]): Field {
  const values = new Set<number>();
  let star = false;
  for (const part of text.split(",").filter((range) => range !== "")) {
    const [range = "", stepText, ...tooMany] = part.split("/");
    const [low = "", high, ...tooManyEnds] = range.split("-");
    const any = low === "*" || low === "?";
    const step = stepText === undefined ? 1 : parseNumber(stepText, min, []);
    const from = any ? min : parseNumber(low, min, names);
    let to = any ? max : high === undefined ? from : parseNumber(high, min, names);
    if (high === undefined && stepText !== undefined) to = max;
    if (tooMany.length + tooManyEnds.length > 0 || from < min || to > max || from > to || step === 0) {
      throw new Error(`cannot read ${part}`);
    }
    if (any && step === 1) star = true;
    for (let value = from; value <= to; value += step) values.add(value);
  }
  return { values, star };
}

function parseNumber(text: string, min: number, names: readonly string[]): number {
  const index = names.indexOf(text.toLowerCase());
  if (index >= 0) return index + min;
  if (!/^\+?\d+$/.test(text)) throw new Error(`failed to parse int from ${text}`);
  return Number(text);
}
