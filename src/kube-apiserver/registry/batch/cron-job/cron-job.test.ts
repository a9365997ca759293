import { expect, test } from "vitest";
import type { CronJob } from "#api/generated/batch/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import { cronJobs } from "./cron-job.ts";
import { isTimeZone } from "./time-zone.ts";

const context = {} as RequestContext;
const { strategy } = cronJobs();
const jobTemplate = { spec: { template: { spec: { containers: [{ name: "c", image: "busybox" }], restartPolicy: "Never" } } } };

function cronJob(spec: object, name = "nightly"): CronJob {
  const draft = deepCopy({ metadata: { name }, spec: { schedule: "0 3 * * *", jobTemplate, ...spec } });
  strategy.setDefaults?.(draft as unknown as Draft<CronJob>);
  return draft as unknown as CronJob;
}

test("it gets its defaults", () => {
  expect(cronJob({}).spec).toMatchObject({
    concurrencyPolicy: "Allow",
    suspend: false,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 1,
  });
});

test.each<[string, object, string[]]>([
  ["its defaults", {}, []],
  ["no schedule", { schedule: "" }, ["spec.schedule: Required value"]],
  [
    "a schedule of four fields",
    { schedule: "0 3 * *" },
    ['spec.schedule: Invalid value: "0 3 * *": expected exactly 5 fields, found 4: [0 3 * *]'],
  ],
  [
    "a zone in the schedule",
    { schedule: "TZ=UTC 0 3 * * *" },
    ['spec.schedule: Invalid value: "TZ=UTC 0 3 * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead'],
  ],
  [
    "an unknown zone",
    { timeZone: "Mars/Olympus" },
    ['spec.timeZone: Invalid value: "Mars/Olympus": unknown time zone Mars/Olympus'],
  ],
  [
    "the machine's zone",
    { timeZone: "Local" },
    [
      'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
    ],
  ],
  [
    "an unknown policy",
    { concurrencyPolicy: "Queue" },
    ['spec.concurrencyPolicy: Unsupported value: "Queue": supported values: "Allow", "Forbid", "Replace"'],
  ],
  [
    "a limit below zero",
    { failedJobsHistoryLimit: -1 },
    ["spec.failedJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0"],
  ],
])("one with %s", (_, spec, want) => {
  const errors = strategy.validate?.(cronJob(spec), context) ?? [];
  expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual(want);
});

test("the names of its jobs must have room for the time", () => {
  const errors = strategy.validate?.(cronJob({}, "n".repeat(53)), context) ?? [];
  expect(errors.map(({ field }) => field)).toEqual(["metadata.name"]);
});

test("a zone in the schedule may stay where it is", () => {
  const old = cronJob({ schedule: "TZ=UTC 0 3 * * *" });
  expect(strategy.validateUpdate?.(cronJob({ schedule: "TZ=UTC 0 4 * * *" }), old, context)).toEqual([]);
});

test.each([
  ["UTC", true],
  ["Europe/Berlin", true],
  ["europe/berlin", false],
  ["EST5EDT", true],
  ["Mars/Olympus", false],
  ["", false],
])("%j is a time zone: %j", (name, want) => {
  expect(isTimeZone(name)).toBe(want);
});
