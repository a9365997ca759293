import type { CronJob } from "#api/generated/batch/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import type { CronSchedule } from "#component-helpers/cron/cron-schedule.ts";

/** Added to every wait, so that a clock that is a little slow does not wake too early. */
const NEXT_DELTA_MS = 100;
/** More missed times than this are worth a word. */
const MANY_MISSED = 100;

/** What a schedule missed so far. */
export interface MissedTimes {
  /** Counted from here: the last start, or the creation. */
  readonly earliestMs: number;
  /** The latest due time that has passed; undefined when there is none. */
  readonly mostRecentMs: number | undefined;
  readonly missed: "none" | "few" | "many";
}

/**
 * Looks for the latest time that should have been a start. Throws for schedules that are never due. Upstream's
 * `mostRecentScheduleTime`: it counts by the distance of two times, so that the number of misses is approximate.
 */
export function missedTimes(cronJob: CronJob, schedule: CronSchedule, nowMs: number, mindDeadline: boolean): MissedTimes {
  const { status = {}, spec, metadata } = cronJob;
  let earliestMs = parseTime(status.lastScheduleTime ?? metadata.creationTimestamp) ?? nowMs;
  const { startingDeadlineSeconds } = spec;
  if (mindDeadline && startingDeadlineSeconds !== undefined) {
    earliestMs = Math.max(earliestMs, nowMs - startingDeadlineSeconds * 1000);
  }
  const first = schedule.next(earliestMs);
  const second = first === undefined ? undefined : schedule.next(first);
  if (first !== undefined && nowMs < first) return { earliestMs, mostRecentMs: undefined, missed: "none" };
  if (first !== undefined && second !== undefined && nowMs < second) return { earliestMs, mostRecentMs: first, missed: "none" };
  const distanceS = first === undefined || second === undefined ? 0 : Math.round((second - first) / 1000);
  if (first === undefined || distanceS < 1) throw new Error("time difference between two schedules is less than 1 second");
  const count = Math.floor(Math.floor((nowMs - first) / 1000) / distanceS) + 1;
  let mostRecentMs: number | undefined;
  let due = schedule.next(first + (count - 2) * distanceS * 1000);
  while (due !== undefined && due <= nowMs) {
    mostRecentMs = due;
    due = schedule.next(due);
  }
  return { earliestMs, mostRecentMs, missed: count > MANY_MISSED ? "many" : "few" };
}

/** Milliseconds until the schedule is due next; undefined when it never is. */
export function nextDueInMs(cronJob: CronJob, schedule: CronSchedule, nowMs: number): number | undefined {
  let fromMs = nowMs;
  try {
    const { earliestMs, mostRecentMs, missed } = missedTimes(cronJob, schedule, nowMs, false);
    fromMs = mostRecentMs ?? (missed === "none" ? earliestMs : nowMs);
  } catch {
    // Never due, as far as is known; from now on it may be.
  }
  const next = schedule.next(fromMs);
  return next === undefined ? undefined : next + NEXT_DELTA_MS - nowMs;
}
