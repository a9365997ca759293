import { parseGoDuration } from "#apimachinery/go-duration.ts";
import { ownValue } from "#base/own-value.ts";
import { type CronFields, parseCronFields } from "./cron-fields.ts";
import { zoneOffsetMs } from "./time-zone.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A schedule that is not due within five years never is. */
const HORIZON_DAYS = 5 * 366;
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
const ZONE = /^(?:TZ|CRON_TZ)=([^ ]*)/;

/** When something is to happen again and again. Times are milliseconds since the Unix epoch. */
export interface CronSchedule {
  /** The first due time after a moment; undefined when there is none within five years. */
  next(afterMs: number): number | undefined;
}

/**
 * Reads a schedule as `robfig/cron` v3's standard parser does: five fields, descriptors, `@every`, a leading `TZ=` or
 * `CRON_TZ=`. Without one of these times are UTC. An hour that clocks skip is skipped, one that they repeat counts twice.
 * Throws for what it cannot read, with the parser's message; the name of a time zone is looked at when a time is asked for.
 */
export function parseCronSchedule(text: string): CronSchedule {
  if (text === "") throw new Error("empty spec string");
  const zone = cronTimeZone(text);
  const rest = zone === undefined ? text : text.replace(ZONE, "").trim();
  if (rest.startsWith(EVERY)) return everySchedule(rest);
  if (rest.startsWith("@") && !Object.hasOwn(DESCRIPTORS, rest)) throw new Error(`unrecognized descriptor: ${rest}`);
  return new FieldSchedule(zone || "UTC", parseCronFields(ownValue(DESCRIPTORS, rest) ?? rest));
}

/** The time zone that a schedule itself names; undefined when it names none, and empty for UTC. */
export function cronTimeZone(text: string): string | undefined {
  return ZONE.exec(text)?.[1];
}

function everySchedule(text: string): CronSchedule {
  const seconds = Math.max(1, Math.floor(everyMs(text) / 1000));
  return { next: (afterMs) => Math.floor(afterMs / 1000) * 1000 + seconds * 1000 };
}

function everyMs(text: string): number {
  try {
    return parseGoDuration(text.slice(EVERY.length));
  } catch (error) {
    throw new Error(`failed to parse duration ${text}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

class FieldSchedule implements CronSchedule {
  readonly #timeZone: string;
  readonly #fields: CronFields;
  readonly #hours: readonly number[];
  readonly #minutes: readonly number[];

  constructor(timeZone: string, fields: CronFields) {
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
