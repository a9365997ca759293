import type { Job, JobCondition } from "#api/generated/batch/v1.ts";
import { formatTime } from "#apimachinery/meta/time.ts";

/** A condition that holds from now on. */
export function newCondition(
  type: string,
  status: "True" | "False",
  reason: string,
  message: string,
  nowMs: number,
): JobCondition {
  const time = formatTime(nowMs);
  return { type, status, lastProbeTime: time, lastTransitionTime: time, reason, message };
}

/** The condition of a type, where it is true. */
export function trueCondition(conditions: readonly JobCondition[] | undefined, type: string): JobCondition | undefined {
  return conditions?.find((condition) => condition.type === type && condition.status === "True");
}

/** Complete or Failed: its controller has no more to do. */
export function isJobFinished(job: Job): boolean {
  const { conditions } = job.status ?? {};
  return trueCondition(conditions, "Complete") !== undefined || trueCondition(conditions, "Failed") !== undefined;
}

/**
 * The conditions with one put in place; undefined when that changes nothing. A condition that is false need not stand
 * there before it was true.
 */
export function ensureCondition(
  conditions: readonly JobCondition[] | undefined,
  wanted: JobCondition,
): JobCondition[] | undefined {
  const old = conditions?.find(({ type }) => type === wanted.type);
  if (old === undefined) return wanted.status === "False" ? undefined : [...(conditions ?? []), wanted];
  if (old.status === wanted.status && old.reason === wanted.reason && old.message === wanted.message) return undefined;
  return (conditions ?? []).map((condition) => (condition === old ? wanted : condition));
}
