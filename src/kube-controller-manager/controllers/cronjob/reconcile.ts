import type { CronJob, Job } from "#api/generated/batch/v1.ts";
import type { ObjectReference } from "#api/generated/core/v1.ts";
import { formatTime, parseTime } from "#apimachinery/meta/time.ts";
import { type CronSchedule, parseCronSchedule } from "#component-helpers/cron/cron-schedule.ts";
import { zoneOffsetMs } from "#component-helpers/cron/time-zone.ts";
import type { RequeueAction } from "../../framework/controller.ts";
import { isJobFinished, trueCondition } from "../job/conditions.ts";
import { jobName, newJob } from "./new-job.ts";
import { missedTimes, nextDueInMs } from "./schedule-times.ts";

/** What the decision depends on. */
export interface Observed {
  readonly cronJob: CronJob;
  /** The Jobs that it controls. */
  readonly jobs: readonly Job[];
  readonly nowMs: number;
}

/** Actions happen in order; all that change the status end in one write of it. */
export type Action =
  | { readonly type: "event"; readonly eventType: "Normal" | "Warning"; readonly reason: string; readonly message: string }
  /** Also from the list of active ones. What `blocks` must succeed before anything follows. */
  | { readonly type: "deleteJob"; readonly name: string; readonly uid: string; readonly blocks: boolean }
  | { readonly type: "forgetActive"; readonly uid: string }
  /** Forget it if the server does not know it either. */
  | { readonly type: "checkActive"; readonly reference: ObjectReference }
  | { readonly type: "succeededAt"; readonly time: string }
  | { readonly type: "createJob"; readonly job: Job; readonly scheduleTime: string };

type Decision = readonly (Action | RequeueAction)[];

/** Starts Jobs when they are due and clears away old ones. Upstream's `ControllerV2.sync`. */
export function reconcile(observed: Observed): Decision {
  const { cronJob, jobs } = observed;
  const cleanup = surplusHistory(cronJob, jobs).map(
    ({ metadata }): Action => ({ type: "deleteJob", name: metadata.name ?? "", uid: metadata.uid ?? "", blocks: false }),
  );
  const removed = new Set(cleanup.map((action) => (action.type === "deleteJob" ? action.uid : "")));
  const active = (cronJob.status?.active ?? []).filter(({ uid = "" }) => !removed.has(uid));
  const { actions, stillActive } = considerJobs(observed, active);
  const known = new Set(jobs.map(({ metadata }) => metadata.uid));
  const lost = stillActive.filter(({ uid }) => !known.has(uid));
  // Whether these are there decides what follows.
  if (lost.length > 0) {
    return [...cleanup, ...actions, ...lost.map((reference): Action => ({ type: "checkActive", reference }))];
  }
  return [...cleanup, ...actions, ...considerSchedule(observed, stillActive)];
}

function considerJobs(
  { cronJob, jobs }: Observed,
  active: readonly ObjectReference[],
): { actions: Action[]; stillActive: readonly ObjectReference[] } {
  const actions: Action[] = [];
  const activeUids = new Set(active.map(({ uid }) => uid));
  const finished = new Set<string | undefined>();
  let lastSuccess = cronJob.status?.lastSuccessfulTime;
  for (const job of jobs) {
    const { name = "", uid = "" } = job.metadata;
    const isActive = activeUids.has(uid);
    if (!isJobFinished(job)) {
      const message = `Saw a job that the controller did not create or forgot: ${name}`;
      if (!isActive) actions.push(event("Warning", "UnexpectedJob", message));
      continue;
    }
    const isComplete = trueCondition(job.status?.conditions, "Complete") !== undefined;
    if (isActive) {
      finished.add(uid);
      actions.push({ type: "forgetActive", uid });
      const message = `Saw completed job: ${name}, condition: ${isComplete ? "Complete" : "Failed"}`;
      actions.push(event("Normal", "SawCompletedJob", message));
    }
    const { completionTime } = job.status ?? {};
    const isLater = (parseTime(completionTime) ?? 0) > (parseTime(lastSuccess) ?? 0);
    if (isComplete && completionTime !== undefined && isLater) {
      lastSuccess = completionTime;
      actions.push({ type: "succeededAt", time: completionTime });
    }
  }
  return { actions, stillActive: active.filter(({ uid }) => !finished.has(uid)) };
}

function considerSchedule(observed: Observed, active: readonly ObjectReference[]): Decision {
  const { cronJob, nowMs } = observed;
  const { spec } = cronJob;
  if (cronJob.metadata.deletionTimestamp !== undefined) return [];
  const { timeZone } = spec;
  if (timeZone !== undefined && !isKnownZone(timeZone)) {
    const message = `invalid timeZone: ${JSON.stringify(timeZone)}: unknown time zone ${timeZone}`;
    return [event("Warning", "UnknownTimeZone", message)];
  }
  if (spec.suspend) return [];
  const warnings: Action[] = [];
  if (spec.schedule.includes("TZ")) {
    const hint = "see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details";
    const message = `CRON_TZ or TZ used in schedule ${JSON.stringify(spec.schedule)} is not officially supported, ${hint}`;
    warnings.push(event("Warning", "UnsupportedSchedule", message));
  }
  let schedule: CronSchedule;
  try {
    schedule = scheduleOf(cronJob);
  } catch (error) {
    const message = `unparseable schedule: ${JSON.stringify(spec.schedule)} : ${messageOf(error)}`;
    return [...warnings, event("Warning", "UnparseableSchedule", message)];
  }
  try {
    const { mostRecentMs, missed } = missedTimes(cronJob, schedule, nowMs, true);
    if (mostRecentMs !== undefined && missed === "many") {
      const advice = "Set or decrease .spec.startingDeadlineSeconds or check clock skew";
      warnings.push(event("Warning", "TooManyMissedTimes", `too many missed start times. ${advice}`));
    }
    return [...warnings, ...considerDue(observed, active, schedule, mostRecentMs)];
  } catch (error) {
    return [...warnings, event("Warning", "InvalidSchedule", `invalid schedule: ${spec.schedule} : ${messageOf(error)}`)];
  }
}

function considerDue(
  { cronJob, nowMs }: Observed,
  active: readonly ObjectReference[],
  schedule: CronSchedule,
  dueMs: number | undefined,
): Decision {
  const { concurrencyPolicy, startingDeadlineSeconds } = cronJob.spec;
  const wait = requeue(nextDueInMs(cronJob, schedule, nowMs));
  if (dueMs === undefined) return wait;
  if (startingDeadlineSeconds !== undefined && dueMs + startingDeadlineSeconds * 1000 < nowMs) {
    const time = new Date(dueMs).toUTCString().replace("GMT", "+0000");
    return [event("Warning", "MissSchedule", `Missed scheduled time to start a job: ${time}`), ...wait];
  }
  const job = newJob(cronJob, dueMs);
  const isStarted =
    active.some(({ name }) => name === jobName(cronJob, dueMs)) || parseTime(cronJob.status?.lastScheduleTime) === dueMs;
  if (isStarted) return wait;
  if (concurrencyPolicy === "Forbid" && active.length > 0) {
    const message = "Not starting job because prior execution is running and concurrency policy is Forbid";
    return [event("Normal", "JobAlreadyActive", message), ...wait];
  }
  const replaced = concurrencyPolicy === "Replace" ? active : [];
  return [
    ...replaced.map(({ name = "", uid = "" }): Action => ({ type: "deleteJob", name, uid, blocks: true })),
    { type: "createJob", job, scheduleTime: formatTime(dueMs) },
    // What is due next counts from this start.
    ...requeue(nextDueInMs({ ...cronJob, status: { lastScheduleTime: formatTime(dueMs) } }, schedule, nowMs)),
  ];
}

/** The schedule in its time zone. Throws for what cannot be read. */
export function scheduleOf({ spec }: CronJob): CronSchedule {
  const { schedule, timeZone } = spec;
  return parseCronSchedule(timeZone === undefined || schedule.includes("TZ") ? schedule : `TZ=${timeZone} ${schedule}`);
}

/** Finished Jobs beyond the limits, oldest first. */
function surplusHistory({ spec }: CronJob, jobs: readonly Job[]): readonly Job[] {
  const beyond = (type: string, limit: number | undefined): readonly Job[] => {
    if (limit === undefined) return [];
    const ended = jobs.filter((job) => trueCondition(job.status?.conditions, type) !== undefined).sort(byStart);
    return ended.slice(0, Math.max(0, ended.length - limit));
  };
  return [...beyond("Complete", spec.successfulJobsHistoryLimit), ...beyond("Failed", spec.failedJobsHistoryLimit)];
}

function byStart(a: Job, b: Job): number {
  const aMs = parseTime(a.status?.startTime) ?? Number.POSITIVE_INFINITY;
  const bMs = parseTime(b.status?.startTime) ?? Number.POSITIVE_INFINITY;
  if (aMs !== bMs) return aMs - bMs;
  return (a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1;
}

function isKnownZone(timeZone: string): boolean {
  try {
    zoneOffsetMs(timeZone, 0);
    return true;
  } catch {
    return false;
  }
}

function requeue(afterMs: number | undefined): RequeueAction[] {
  return afterMs === undefined ? [] : [{ type: "requeue", afterMs }];
}

function event(eventType: "Normal" | "Warning", reason: string, message: string): Action {
  return { type: "event", eventType, reason, message };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
