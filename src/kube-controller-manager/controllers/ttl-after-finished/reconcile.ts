import type { Job } from "#api/generated/batch/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import type { RequeueAction } from "../../framework/controller.ts";

/** What the decision depends on. */
export interface Observed {
  readonly job: Job;
  readonly nowMs: number;
}

export interface Action {
  readonly type: "delete";
  readonly job: Job;
}

/** A finished Job goes when its time is up. */
export function reconcile({ job, nowMs }: Observed): readonly (Action | RequeueAction)[] {
  const { ttlSecondsAfterFinished } = job.spec;
  const end = job.status?.conditions?.find(({ type, status }) => (type === "Complete" || type === "Failed") && status === "True");
  if (ttlSecondsAfterFinished === undefined || end === undefined || job.metadata.deletionTimestamp !== undefined) return [];
  const leftMs = (parseTime(end.lastTransitionTime) ?? nowMs) + ttlSecondsAfterFinished * 1000 - nowMs;
  return leftMs > 0 ? [{ type: "requeue", afterMs: leftMs }] : [{ type: "delete", job }];
}
