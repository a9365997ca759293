import { expect, test } from "vitest";
import type { CronJob, Job } from "#api/generated/batch/v1.ts";
import { type Observed, reconcile } from "./reconcile.ts";

const at = (time: string): number => Date.parse(`2026-01-01T${time}Z`);
const active = [{ kind: "Job", namespace: "ns", name: "c-1", uid: "j1" }];

function cronJob(spec: Partial<CronJob["spec"]> = {}, status: CronJob["status"] = {}): CronJob {
  return {
    metadata: { name: "c", namespace: "ns", uid: "c", creationTimestamp: "2026-01-01T00:00:30Z" },
    spec: { schedule: "*/10 * * * *", jobTemplate: { spec: { template: {} } }, ...spec },
    status,
  };
}

function job(uid: string, condition?: string, minute = 0): Job {
  const time = `2026-01-01T00:0${minute}:00Z`;
  const ended = condition === undefined ? {} : { conditions: [{ type: condition, status: "True" }], completionTime: time };
  return { metadata: { name: `c-${uid}`, namespace: "ns", uid }, spec: { template: {} }, status: { startTime: time, ...ended } };
}

/** Actions by their type, events by their reason; waits in seconds. */
function told(observed: Partial<Observed> & { readonly time: string }): string[] {
  const { time, ...rest } = observed;
  return reconcile({ cronJob: cronJob(), jobs: [], nowMs: at(time), ...rest }).map((action) => {
    switch (action.type) {
      case "event":
        return action.reason;
      case "requeue":
        return `wait ${Math.floor(action.afterMs / 1000)}`;
      case "createJob":
        return `create ${action.job.metadata.name} for ${action.scheduleTime.slice(11, 19)}`;
      case "deleteJob":
        return `delete ${action.name}`;
      default:
        return action.type;
    }
  });
}

test.each<[string, Parameters<typeof told>[0], string[]]>([
  ["before the first time it waits", { time: "00:05:00" }, ["wait 300"]],
  ["at its time a Job starts", { time: "00:10:01" }, ["create c-29453770 for 00:10:00", "wait 599"]],
  ["of several missed times only the last counts", { time: "00:45:00" }, ["create c-29453800 for 00:40:00", "wait 300"]],
  [
    "many are worth a word",
    { time: "23:59:00", cronJob: cronJob({ schedule: "* * * * *" }) },
    ["TooManyMissedTimes", "create c-29455199 for 23:59:00", "wait 60"],
  ],
  [
    "what was started is not started again",
    { time: "00:15:00", cronJob: cronJob({}, { lastScheduleTime: "2026-01-01T00:10:00Z" }) },
    ["wait 300"],
  ],
  ["a suspended one starts nothing", { time: "00:10:01", cronJob: cronJob({ suspend: true }) }, []],
  ["too late is too late", { time: "00:15:00", cronJob: cronJob({ startingDeadlineSeconds: 100 }) }, ["wait 300"]],
  [
    "one in time starts",
    { time: "00:11:00", cronJob: cronJob({ startingDeadlineSeconds: 100 }) },
    ["create c-29453770 for 00:10:00", "wait 540"],
  ],
  [
    "Forbid waits for the one before",
    { time: "00:10:01", cronJob: cronJob({ concurrencyPolicy: "Forbid" }, { active }), jobs: [job("j1")] },
    ["JobAlreadyActive", "wait 599"],
  ],
  [
    "Replace removes it",
    { time: "00:10:01", cronJob: cronJob({ concurrencyPolicy: "Replace" }, { active }), jobs: [job("j1")] },
    ["delete c-1", "create c-29453770 for 00:10:00", "wait 599"],
  ],
  [
    "one that ended is active no more",
    { time: "00:05:00", cronJob: cronJob({}, { active }), jobs: [job("j1", "Complete")] },
    ["forgetActive", "SawCompletedJob", "succeededAt", "wait 300"],
  ],
  [
    "a failed one is no success",
    { time: "00:05:00", cronJob: cronJob({}, { active }), jobs: [job("j1", "Failed")] },
    ["forgetActive", "SawCompletedJob", "wait 300"],
  ],
  ["an unknown one is told", { time: "00:05:00", jobs: [job("j2")] }, ["UnexpectedJob", "wait 300"]],
  ["a lost one is looked for", { time: "00:10:01", cronJob: cronJob({}, { active }) }, ["checkActive"]],
  [
    "old ones go beyond the limits",
    {
      time: "00:05:00",
      cronJob: cronJob(
        { successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 },
        { lastSuccessfulTime: "2026-01-01T00:09:00Z" },
      ),
      jobs: [job("b", "Complete", 2), job("a", "Complete", 1), job("f", "Failed")],
    },
    ["delete c-a", "delete c-f", "wait 300"],
  ],
  [
    "a schedule that never comes is told",
    { time: "00:05:00", cronJob: cronJob({ schedule: "0 0 31 2 *" }) },
    ["InvalidSchedule"],
  ],
  ["so is one that cannot be read", { time: "00:05:00", cronJob: cronJob({ schedule: "x" }) }, ["UnparseableSchedule"]],
  ["and an unknown time zone", { time: "00:05:00", cronJob: cronJob({ timeZone: "Moon/Base" }) }, ["UnknownTimeZone"]],
])("%s", (_name, observed, want) => {
  expect(told(observed)).toEqual(want);
});

test("a Job says when it was due, in its time zone", () => {
  const zoned = cronJob({ schedule: "0 5 * * *", timeZone: "Asia/Kolkata", jobTemplate: { metadata: { labels: { a: "b" } } } });
  const [action] = reconcile({ cronJob: zoned, jobs: [], nowMs: Date.parse("2026-01-01T23:30:01Z") });
  expect(action?.type === "createJob" && action.job.metadata).toMatchObject({
    labels: { a: "b" },
    annotations: { "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-02T05:00:00+05:30" },
    ownerReferences: [{ kind: "CronJob", name: "c", controller: true }],
  });
});
