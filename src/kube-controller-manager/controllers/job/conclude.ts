import type { Job, JobCondition, JobStatus } from "#api/generated/batch/v1.ts";
import type { Pod } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import { ensureCondition, newCondition, trueCondition } from "./conditions.ts";
import { countIndexes, formatIndexes, indexSetOf, unionIndexes } from "./index-set.ts";
import type { JobContext } from "./job-context.ts";
import { completionIndex, isIndexed, isPodFailed, isSuspended, isTracked } from "./job-pods.ts";
import { judgeFailure } from "./pod-failure-policy.ts";

/** Pods that a status names as ended and not counted, at most; the rest waits. */
export const MAX_UNCOUNTED_PODS = 500;

/** What came of the step that `reconcile` asked for. */
export interface StepOutcome {
  readonly created: number;
  readonly deleted: number;
  /** Of the deleted ones. */
  readonly deletedReady: number;
  readonly managed: boolean;
}

/** What is to be written now, in this order: status, finalizers, status again with {@link settle}. */
export interface Conclusion {
  readonly status: Draft<JobStatus>;
  /** The status must be written before finalizers go. */
  readonly flush: boolean;
  readonly removeFinalizers: readonly Pod[];
  /** Pods whose finalizer is still there. */
  readonly tracked: ReadonlySet<string>;
  /** How the Job ends once everything is counted. */
  readonly finish: JobCondition | undefined;
  readonly event: { readonly reason: string; readonly message: string } | undefined;
}

/** The second half of upstream's `syncJob`, with `trackJobStatusAndRemoveFinalizers`. */
export function conclude(context: JobContext, outcome: StepOutcome): Conclusion {
  const { job, nowMs, pods, counted } = context;
  const old = job.status ?? {};
  const status = structuredClone(old) as Draft<JobStatus>;
  if (status.startTime === undefined && !isSuspended(job)) status.startTime = formatTime(nowMs);
  const active = context.active.length + outcome.created - outcome.deleted;
  let finished = context.finished;
  let event: Conclusion["event"];
  let flush = false;
  if (finished !== undefined) {
    // Not before everything that belongs to it shows and is gone.
    if (outcome.deleted !== context.active.length || !context.mayManage) finished = undefined;
  } else if (isComplete(context, active)) {
    finished = newCondition(
      "SuccessCriteriaMet",
      "True",
      "CompletionsReached",
      "Reached expected number of succeeded pods",
      nowMs,
    );
  } else if (outcome.managed) {
    event = updateSuspended(context, status);
    flush = event !== undefined;
  }
  const ready = context.ready - outcome.deletedReady;
  const terminating = context.terminating + outcome.deleted;
  flush ||= active !== (old.active ?? 0) || ready !== old.ready || terminating !== old.terminating;
  set(status, "active", active);
  status.ready = ready;
  status.terminating = terminating;

  const uids = pods.filter((pod) => isTracked(pod) && !counted.has(uidOf(pod))).map(uidOf);
  const tracked = new Set(uids);
  if (countSettled(status, tracked)) flush = true;
  const { removeFinalizers, full, changed } = countEnded(context, status, finished);
  flush ||= changed;

  let finish: JobCondition | undefined;
  if (finished !== undefined) {
    const interim = finished.type === "Failed" ? "FailureTarget" : finished.type;
    if (trueCondition(status.conditions, interim) === undefined) {
      status.conditions = [...(status.conditions ?? []), finished];
      flush = true;
    }
    const { reason = "", message = "" } = finished;
    const type = interim === "FailureTarget" ? "Failed" : "Complete";
    if (!full) finish = newCondition(type, "True", reason, message, nowMs);
  }
  return { status, flush, removeFinalizers, tracked, finish, event };
}

/** Counts pods whose finalizer is gone by now, and ends the Job when nothing is left to count. True when that changed it. */
export function settle(status: Draft<JobStatus>, tracked: ReadonlySet<string>, finish: JobCondition | undefined): boolean {
  const changed = countSettled(status, tracked);
  if (finish === undefined || !isAllCounted(status)) return changed;
  const conditions = ensureCondition(status.conditions, finish);
  if (conditions !== undefined) status.conditions = conditions;
  if (finish.type === "Complete" && finish.lastTransitionTime !== undefined) status.completionTime = finish.lastTransitionTime;
  return true;
}

/** No pod is still ending or waits to be counted. */
export function isAllCounted({ uncountedTerminatedPods, terminating = 0 }: Draft<JobStatus>): boolean {
  const { succeeded = [], failed = [] } = uncountedTerminatedPods ?? {};
  return succeeded.length + failed.length === 0 && terminating === 0;
}

function isComplete({ job, succeeded }: JobContext, active: number): boolean {
  const { completions } = job.spec;
  return active === 0 && (completions === undefined ? succeeded > 0 : succeeded >= completions);
}

function updateSuspended({ job, nowMs }: JobContext, status: Draft<JobStatus>): Conclusion["event"] {
  const suspended = isSuspended(job);
  const event = suspended ? { reason: "Suspended", message: "Job suspended" } : { reason: "Resumed", message: "Job resumed" };
  const condition = newCondition("Suspended", suspended ? "True" : "False", `Job${event.reason}`, event.message, nowMs);
  const conditions = ensureCondition(status.conditions, condition);
  if (conditions === undefined) return undefined;
  status.conditions = conditions;
  // The deadline counts from when the Job goes on.
  if (!suspended) status.startTime = formatTime(nowMs);
  return event;
}

function countSettled(status: Draft<JobStatus>, tracked: ReadonlySet<string>): boolean {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const keptSucceeded = succeeded.filter((uid) => tracked.has(uid));
  const keptFailed = failed.filter((uid) => tracked.has(uid));
  status.uncountedTerminatedPods = uncountedOf(keptSucceeded, keptFailed);
  const newlySucceeded = succeeded.length - keptSucceeded.length;
  const newlyFailed = failed.length - keptFailed.length;
  if (newlySucceeded > 0) status.succeeded = (status.succeeded ?? 0) + newlySucceeded;
  if (newlyFailed > 0) status.failed = (status.failed ?? 0) + newlyFailed;
  return newlySucceeded + newlyFailed > 0;
}

function uncountedOf(succeeded: string[], failed: string[]): { succeeded?: string[]; failed?: string[] } {
  return { ...(succeeded.length > 0 ? { succeeded } : {}), ...(failed.length > 0 ? { failed } : {}) };
}

/** Names pods that ended in the status, so that their finalizers may go. */
function countEnded(
  context: JobContext,
  status: Draft<JobStatus>,
  finished: JobCondition | undefined,
): { removeFinalizers: Pod[]; full: boolean; changed: boolean } {
  const { job, pods, counted } = context;
  const indexed = isIndexed(job);
  const succeeded = [...(status.uncountedTerminatedPods?.succeeded ?? [])];
  const failed = [...(status.uncountedTerminatedPods?.failed ?? [])];
  const before = succeeded.length + failed.length;
  const newIndexes = new Set<number>();
  const removeFinalizers: Pod[] = [];
  const isSuccess = finished?.type === "SuccessCriteriaMet";
  const uncounted = pods.filter((pod) => isTracked(pod) && !counted.has(uidOf(pod)));
  let full = false;
  for (const pod of indexed ? inOrder(uncounted, job) : uncounted) {
    const uid = uidOf(pod);
    const isFailed = isPodFailed(pod, job);
    if (!mayLetGo(context, pod, isFailed, finished)) continue;
    removeFinalizers.push(pod);
    const index = completionIndex(pod, job);
    const isValid = !indexed || index !== undefined;
    if (pod.status?.phase === "Succeeded" && !failed.includes(uid)) {
      if (!indexed) {
        if (!succeeded.includes(uid)) succeeded.push(uid);
      } else if (index !== undefined && !context.knownSucceeded.some(([a, b]) => a <= index && index <= b)) newIndexes.add(index);
    } else if ((isFailed || (finished !== undefined && !isSuccess)) && isValid && !failed.includes(uid)) {
      if (judgeFailure(job.spec.podFailurePolicy, pod).counts) failed.push(uid);
    }
    full = newIndexes.size + succeeded.length + failed.length >= MAX_UNCOUNTED_PODS;
    if (full) break;
  }
  status.uncountedTerminatedPods = uncountedOf(succeeded, failed);
  let changed = succeeded.length + failed.length > before || newIndexes.size > 0;
  if (indexed) {
    const all = unionIndexes(context.knownSucceeded, indexSetOf(newIndexes));
    const text = formatIndexes(all);
    if (text !== (status.completedIndexes ?? "")) changed = true;
    if (text !== "") status.completedIndexes = text;
    set(status, "succeeded", countIndexes(all));
    if (context.failedIndexes !== undefined) {
      const failedText = formatIndexes(context.failedIndexes);
      if (failedText !== status.failedIndexes) changed = true;
      status.failedIndexes = failedText;
    }
  }
  return { removeFinalizers, full, changed };
}

/** By index; those without a valid one go first. */
function inOrder(pods: readonly Pod[], job: Job): readonly Pod[] {
  const indexed = pods.map((pod) => ({ pod, index: completionIndex(pod, job) ?? -1 }));
  return indexed.sort((a, b) => a.index - b.index).map(({ pod }) => pod);
}

function mayLetGo({ job, retained }: JobContext, pod: Pod, isFailed: boolean, finished: JobCondition | undefined): boolean {
  if (job.metadata.deletionTimestamp !== undefined || finished !== undefined || pod.status?.phase === "Succeeded") return true;
  if (!isFailed) return false;
  const index = completionIndex(pod, job);
  return index === undefined || retained.get(index)?.metadata.uid !== pod.metadata.uid;
}

function set(status: Draft<JobStatus>, field: "active" | "succeeded", value: number): void {
  if (value === 0) delete status[field];
  else status[field] = value;
}

function uidOf(pod: Pod): string {
  return pod.metadata.uid ?? "";
}
