import { cronTimeZone, parseCronSchedule } from "#component-helpers/cron/cron-schedule.ts";

/** What is wrong with a schedule, as upstream's parser says it; undefined when nothing is. `isTimeZone` knows the names of zones. */
export function scheduleProblem(schedule: string, isTimeZone: (name: string) => boolean): string | undefined {
  const zone = cronTimeZone(schedule) ?? "";
  if (zone !== "" && !isTimeZone(zone)) return `provided bad location ${zone}: unknown time zone ${zone}`;
  try {
    parseCronSchedule(schedule);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
