import type { Pod } from "#api/generated/core/v1.ts";
import type { RequeueAction } from "../../framework/controller.ts";
import { isJobFinished } from "./conditions.ts";
import { analyse, deadlineInMs, type JobContext, type ObservedJob } from "./job-context.ts";
import { type ManageStep, manage } from "./manage.ts";

/** A pod with a finalizer that no Job will take away. */
export interface ObservedOrphan {
  readonly type: "orphan";
  readonly pod: Pod;
}

export type Observed = ObservedJob | ObservedOrphan;

export type Action =
  | { readonly type: "claim"; readonly adopt: readonly Pod[]; readonly release: readonly Pod[] }
  | { readonly type: "letGo"; readonly pod: Pod }
  | { readonly type: "complainOfMode" }
  /** Do the step, then bring the status up to date with what came of it: see `conclude`. */
  | { readonly type: "sync"; readonly context: JobContext; readonly step: ManageStep; readonly managed: boolean };

/** Runs a Job to its end. Upstream's `Controller.syncJob`. */
export function reconcile(observed: Observed): readonly (Action | RequeueAction)[] {
  if (observed.type === "orphan") return [{ type: "letGo", pod: observed.pod }];
  const { job, adopt, release, nowMs } = observed;
  if (isJobFinished(job)) return [];
  const { completionMode = "NonIndexed" } = job.spec;
  if (completionMode !== "NonIndexed" && completionMode !== "Indexed") return [{ type: "complainOfMode" }];
  // What is adopted shows in a moment, with owner and finalizer, and brings the Job back.
  if (adopt.length > 0) return [{ type: "claim", adopt, release }];
  const actions: (Action | RequeueAction)[] = release.length > 0 ? [{ type: "claim", adopt, release }] : [];
  const context = analyse(observed);
  if (context.finished !== undefined) {
    const step: ManageStep = { type: "delete", pods: context.active, uncounted: false };
    return [...actions, { type: "sync", context, step, managed: false }];
  }
  const managed = observed.mayManage && job.metadata.deletionTimestamp === undefined;
  const step: ManageStep = managed ? manage(context) : { type: "none" };
  actions.push({ type: "sync", context, step, managed });
  if (step.type === "wait") actions.push({ type: "requeue", afterMs: step.afterMs });
  const deadlineMs = deadlineInMs(job, nowMs);
  if (deadlineMs !== undefined) actions.push({ type: "requeue", afterMs: deadlineMs });
  return actions;
}
