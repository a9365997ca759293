import type { Job, JobStatus } from "#api/generated/batch/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { duplicate, type FieldError, invalid, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { countErrors } from "../../apps/workload/status-validation.ts";
import { countIndexes, firstSharedIndex } from "./index-intervals.ts";

const statusPath = FieldPath.of("status");
const conditionsPath = statusPath.child("conditions");

/** Two states of a Job's status, and what differs between them: most rules hold only for what a write changes. */
interface Change {
  readonly job: Job;
  readonly now: JobStatus;
  readonly before: JobStatus;
  readonly changed: (field: keyof JobStatus) => boolean;
  readonly conditionChanged: (...types: readonly string[]) => boolean;
}

/** Upstream's `ValidateJobUpdateStatus`: other controllers than the built-in one may keep a Job too (KEP-4368). */
export function validateJobStatus(job: Job, old: Job): FieldError[] {
  const now = job.status ?? {};
  const before = old.status ?? {};
  const change: Change = {
    job,
    now,
    before,
    changed: (field) => !semanticEqual(now[field], before[field]),
    conditionChanged: (...types) => types.some((type) => isTrue(now, type) !== isTrue(before, type)),
  };
  return [
    ...countErrors(now, ["active", "succeeded", "failed", "ready", "terminating"]),
    ...uncountedErrors(now),
    ...endErrors(change),
    ...finishedErrors(change),
    ...indexErrors(change),
    ...podCountErrors(change),
    ...successErrors(change),
    ...historyErrors(change),
  ];
}

function isTrue(status: JobStatus, type: string): boolean {
  return (status.conditions ?? []).some((condition) => condition.type === type && condition.status === "True");
}

function isFinished(status: JobStatus): boolean {
  return isTrue(status, "Complete") || isTrue(status, "Failed");
}

/** `Invalid` without the value, which would be all conditions. */
function wrongConditions(detail: string): FieldError {
  return { type: "FieldValueInvalid", field: `${conditionsPath}`, message: `Invalid value: ${detail}` };
}

function uncountedErrors(status: JobStatus): FieldError[] {
  const errors: FieldError[] = [];
  const path = statusPath.child("uncountedTerminatedPods");
  const seen = new Set<string>();
  for (const field of ["succeeded", "failed"] as const) {
    (status.uncountedTerminatedPods?.[field] ?? []).forEach((uid, i) => {
      if (uid === "") errors.push(invalid(path.child(field).index(i), uid, "must not be empty"));
      else if (seen.has(uid)) errors.push(duplicate(path.child(field).index(i), uid));
      else seen.add(uid);
    });
  }
  return errors;
}

/** Conditions that exclude or need one another, and the time of completion. */
function endErrors({ now, changed, conditionChanged }: Change): FieldError[] {
  const errors: FieldError[] = [];
  const complete = isTrue(now, "Complete");
  const failed = isTrue(now, "Failed");
  const timePath = statusPath.child("completionTime");
  if (conditionChanged("Complete", "Failed") && complete && failed) {
    errors.push(wrongConditions("cannot set Complete=True and Failed=true conditions"));
  }
  if (conditionChanged("Complete", "FailureTarget") && complete && isTrue(now, "FailureTarget")) {
    errors.push(wrongConditions("cannot set Complete=True and FailureTarget=true conditions"));
  }
  if (conditionChanged("Complete") || changed("completionTime")) {
    if (now.completionTime && !complete) {
      errors.push(invalid(timePath, now.completionTime, "cannot set completionTime when there is no Complete=True condition"));
    }
    if (!now.completionTime && complete) errors.push(required(timePath, "completionTime is required for Complete jobs"));
  }
  if (changed("startTime") || changed("completionTime")) {
    const [start, end] = [parseTime(now.startTime), parseTime(now.completionTime)];
    if (start !== undefined && end !== undefined && end < start) {
      errors.push(invalid(timePath, now.completionTime, "completionTime cannot be set before startTime"));
    }
  }
  if (conditionChanged("Failed", "FailureTarget") && failed && !isTrue(now, "FailureTarget")) {
    errors.push(wrongConditions("cannot set Failed=True condition without the FailureTarget=true condition"));
  }
  if (conditionChanged("Complete", "SuccessCriteriaMet") && complete && !isTrue(now, "SuccessCriteriaMet")) {
    errors.push(wrongConditions("cannot set Complete=True condition without the SuccessCriteriaMet=true condition"));
  }
  return errors;
}

/** A Job ends when it has started, and when nothing of it runs or waits to be counted. */
function finishedErrors({ now, before, changed }: Change): FieldError[] {
  if (!isFinished(now)) return [];
  const errors: FieldError[] = [];
  const finishes = !isFinished(before);
  if ((finishes || changed("active")) && (now.active ?? 0) > 0) {
    errors.push(invalid(statusPath.child("active"), now.active, "active>0 is invalid for finished job"));
  }
  if ((finishes || changed("startTime")) && !now.startTime) {
    errors.push(required(statusPath.child("startTime"), "startTime is required for finished job"));
  }
  const { succeeded, failed } = now.uncountedTerminatedPods ?? {};
  const waits = (succeeded ?? []).length + (failed ?? []).length > 0;
  if ((finishes || changed("uncountedTerminatedPods")) && waits) {
    const internal = { Succeeded: succeeded ?? null, Failed: failed ?? null };
    const detail = "uncountedTerminatedPods needs to be empty for finished job";
    errors.push(invalid(statusPath.child("uncountedTerminatedPods"), internal, detail));
  }
  return errors;
}

function indexErrors({ job, now, changed }: Change): FieldError[] {
  const errors: FieldError[] = [];
  const { completions, backoffLimitPerIndex, completionMode } = job.spec ?? {};
  const { completedIndexes = "", failedIndexes } = now;
  const [completedPath, failedPath] = [statusPath.child("completedIndexes"), statusPath.child("failedIndexes")];
  if (changed("completedIndexes") && completions !== undefined) {
    const counted = countIndexes(completedIndexes, completions);
    if (typeof counted === "string") {
      errors.push(invalid(completedPath, completedIndexes, `error parsing completedIndexes: ${counted}`));
    }
  }
  if (
    changed("failedIndexes") &&
    completions !== undefined &&
    backoffLimitPerIndex !== undefined &&
    failedIndexes !== undefined
  ) {
    const counted = countIndexes(failedIndexes, completions);
    if (typeof counted === "string") errors.push(invalid(failedPath, failedIndexes, `error parsing failedIndexes: ${counted}`));
  }
  if (changed("completedIndexes") && completedIndexes !== "" && completionMode !== "Indexed") {
    const detail = "cannot set non-empty completedIndexes when non-indexed completion mode";
    errors.push(invalid(completedPath, completedIndexes, detail));
  }
  if (failedIndexes === undefined) return errors;
  if (changed("failedIndexes") && backoffLimitPerIndex === undefined) {
    errors.push(invalid(failedPath, failedIndexes, "cannot set non-null failedIndexes when backoffLimitPerIndex is null"));
  }
  if ((changed("failedIndexes") || changed("completedIndexes")) && completions !== undefined) {
    const shared = firstSharedIndex(completedIndexes, failedIndexes, completions);
    const detail = `failedIndexes and completedIndexes overlap at index: ${shared}`;
    if (shared !== undefined) errors.push(invalid(failedPath, failedIndexes, detail));
  }
  return errors;
}

function podCountErrors({ now, before, changed }: Change): FieldError[] {
  const errors: FieldError[] = [];
  const { ready = 0, active = 0, terminating = 0 } = now;
  const finishes = isFinished(now) !== isFinished(before);
  if ((finishes || changed("terminating")) && terminating > 0 && isFinished(now)) {
    errors.push(invalid(statusPath.child("terminating"), terminating, "terminating>0 is invalid for finished job"));
  }
  if ((changed("ready") || changed("active")) && ready > active) {
    errors.push(invalid(statusPath.child("ready"), ready, "cannot set more ready pods than active"));
  }
  return errors;
}

function successErrors({ job, now }: Change): FieldError[] {
  const errors: FieldError[] = [];
  const met = isTrue(now, "SuccessCriteriaMet");
  if (met && isTrue(now, "Failed")) {
    errors.push(wrongConditions("cannot set SuccessCriteriaMet=True and Failed=true conditions"));
  }
  if (met && isTrue(now, "FailureTarget")) {
    errors.push(wrongConditions("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"));
  }
  if (job.spec?.successPolicy && !met && isTrue(now, "Complete")) {
    errors.push(wrongConditions("cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"));
  }
  return errors;
}

/** What has happened stays. */
function historyErrors({ job, now, before, changed }: Change): FieldError[] {
  const errors: FieldError[] = [];
  for (const type of ["Failed", "Complete", "FailureTarget"]) {
    if (isTrue(before, type) && !isTrue(now, type)) {
      errors.push(wrongConditions(`cannot disable the terminal ${type}=True condition`));
    }
  }
  if ((now.failed ?? 0) < (before.failed ?? 0)) {
    errors.push(invalid(statusPath.child("failed"), now.failed ?? 0, "cannot decrease the failed counter"));
  }
  const { completionMode, completions, parallelism, suspend } = job.spec ?? {};
  // An indexed Job whose completions follow its parallelism may shrink.
  const mayShrink = completionMode === "Indexed" && completions === parallelism;
  if (!mayShrink && (now.succeeded ?? 0) < (before.succeeded ?? 0)) {
    errors.push(invalid(statusPath.child("succeeded"), now.succeeded ?? 0, "cannot decrease the succeeded counter"));
  }
  if (now.completionTime && before.completionTime && changed("completionTime")) {
    errors.push(invalid(statusPath.child("completionTime"), now.completionTime, "completionTime cannot be mutated"));
  }
  if (before.startTime && changed("startTime") && suspend !== true) {
    errors.push(required(statusPath.child("startTime"), "startTime cannot be removed for unsuspended job"));
  }
  if (isTrue(before, "SuccessCriteriaMet") && !isTrue(now, "SuccessCriteriaMet")) {
    errors.push(wrongConditions("cannot disable the SuccessCriteriaMet=True condition"));
  }
  if (isTrue(before, "Complete") && !isTrue(before, "SuccessCriteriaMet") && isTrue(now, "SuccessCriteriaMet")) {
    errors.push(wrongConditions("cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"));
  }
  return errors;
}
