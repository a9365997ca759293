import type { Job, JobStatus } from "#api/generated/batch/v1.ts";
import { duplicate, type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { countErrors } from "../../apps/workload/status-validation.ts";

const statusPath = FieldPath.of("status");

/** Upstream's `ValidateJobUpdateStatus`, without the rules that only its own controller could break. */
export function validateJobStatus(job: Job, old: Job): FieldError[] {
  const status = job.status ?? {};
  const before = old.status ?? {};
  return [
    ...countErrors(status, ["active", "succeeded", "failed", "ready", "terminating"]),
    ...uncountedErrors(status),
    ...finishedErrors(job, status, before),
  ];
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

function hasCondition(status: JobStatus, type: string): boolean {
  return (status.conditions ?? []).some((condition) => condition.type === type && condition.status === "True");
}

/** A finished Job stays finished, and its conditions come in order (KEP-4368). */
function finishedErrors(job: Job, status: JobStatus, before: JobStatus): FieldError[] {
  const errors: FieldError[] = [];
  const conditionsPath = statusPath.child("conditions");
  const complete = hasCondition(status, "Complete");
  const failed = hasCondition(status, "Failed");
  const wrong = (detail: string): void => {
    errors.push({ type: "FieldValueInvalid", field: `${conditionsPath}`, message: `Invalid value: ${detail}` });
  };
  if (complete && failed) wrong("cannot set Complete=True and Failed=True conditions");
  if (complete && hasCondition(status, "FailureTarget")) wrong("cannot set Complete=True and FailureTarget=true conditions");
  for (const type of ["Complete", "Failed", "SuccessCriteriaMet", "FailureTarget"]) {
    if (hasCondition(before, type) && !hasCondition(status, type)) {
      const detail =
        type === "Complete" || type === "Failed"
          ? `cannot disable the terminal ${type}=True condition`
          : `cannot disable the ${type}=True condition`;
      wrong(detail);
    }
  }
  if (complete && !hasCondition(before, "Complete") && !hasCondition(status, "SuccessCriteriaMet")) {
    wrong("cannot set Complete=True condition without the SuccessCriteriaMet=true condition");
  }
  if (failed && !hasCondition(before, "Failed") && !hasCondition(status, "FailureTarget")) {
    wrong("cannot set Failed=True condition without the FailureTarget=true condition");
  }
  if (status.completionTime && !complete) {
    errors.push(
      invalid(
        statusPath.child("completionTime"),
        status.completionTime,
        "cannot set completionTime when there is no Complete=True condition",
      ),
    );
  }
  if ((complete || failed) && (status.active ?? 0) > 0) {
    errors.push(invalid(statusPath.child("active"), status.active, "active>0 is invalid for finished job"));
  }
  if (status.completedIndexes && job.spec?.completionMode !== "Indexed") {
    errors.push(
      invalid(
        statusPath.child("completedIndexes"),
        status.completedIndexes,
        "cannot set non-empty completedIndexes when non-indexed completion mode",
      ),
    );
  }
  return errors;
}
