import type { Job, JobCondition } from "#api/generated/batch/v1.ts";
import type { Pod } from "#api/generated/core/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { isPodActive, isPodReady, isPodTerminal, isPodTerminating } from "#component-helpers/pod/pod-conditions.ts";
import { addToBackoff, type BackoffRecord } from "./backoff.ts";
import { newCondition, trueCondition } from "./conditions.ts";
import { countIndexes, type IndexSet, indexSetOf, NO_INDEXES, parseIndexes, unionIndexes } from "./index-set.ts";
import {
  allFailures,
  completionIndex,
  failureCount,
  finishedAtMs,
  INDEX_FAILURES,
  isIndexed,
  isPodFailed,
  isSuspended,
  isTracked,
} from "./job-pods.ts";
import { judgeFailure } from "./pod-failure-policy.ts";
import { matchSuccessPolicy } from "./success-policy.ts";

/** What the decision on a Job depends on. */
export interface ObservedJob {
  readonly type: "job";
  readonly job: Job;
  /** Pods that the Job controls and selects, in whatever state. */
  readonly pods: readonly Pod[];
  readonly adopt: readonly Pod[];
  readonly release: readonly Pod[];
  /** False while earlier creations and deletions do not show yet. */
  readonly mayManage: boolean;
  /** Uids of pods whose finalizer was taken away already, though the mirror still shows it. */
  readonly counted: ReadonlySet<string>;
  readonly backoff: BackoffRecord;
  readonly nowMs: number;
}

/** A Job's state, counted. */
export interface JobContext extends ObservedJob {
  readonly active: readonly Pod[];
  readonly ready: number;
  readonly terminating: number;
  readonly succeeded: number;
  /** With the ends of pods that the status does not count yet. */
  readonly newBackoff: BackoffRecord;
  /** Those that the status names already. */
  readonly knownSucceeded: IndexSet;
  readonly succeededIndexes: IndexSet;
  /** Absent unless each index has its own limit. */
  readonly failedIndexes: IndexSet | undefined;
  /** The last failed pod of each index that is to be tried again: kept, because it counts the failures. */
  readonly retained: ReadonlyMap<number, Pod>;
  /** Why the Job is to end; undefined while it is not. */
  readonly finished: JobCondition | undefined;
}

/** Counts what there is, and decides whether the Job is to end. The first half of upstream's `syncJob`. */
export function analyse(observed: ObservedJob): JobContext {
  const { job, pods, nowMs } = observed;
  const active = pods.filter(isPodActive);
  const uncounted = job.status?.uncountedTerminatedPods;
  const isNew = (pod: Pod, known: readonly string[] | undefined): boolean =>
    isTracked(pod) &&
    !observed.counted.has(pod.metadata.uid ?? "") &&
    !known?.includes(pod.metadata.uid ?? "") &&
    (!isIndexed(job) || completionIndex(pod, job) !== undefined);
  const newSucceeded = pods.filter((pod) => pod.status?.phase === "Succeeded" && isNew(pod, uncounted?.succeeded));
  const newFailed = pods.filter((pod) => isPodFailed(pod, job) && isNew(pod, uncounted?.failed));
  const countedFailures = newFailed.filter((pod) => judgeFailure(job.spec.podFailurePolicy, pod).counts).length;
  const failed = (job.status?.failed ?? 0) + countedFailures + (uncounted?.failed?.length ?? 0);
  const indexes = analyseIndexes(observed);
  return {
    ...observed,
    active,
    ready: active.filter(isPodReady).length,
    terminating: pods.filter((pod) => isPodTerminating(pod) && !isPodTerminal(pod)).length,
    succeeded: isIndexed(job)
      ? countIndexes(indexes.succeededIndexes)
      : (job.status?.succeeded ?? 0) + newSucceeded.length + (uncounted?.succeeded?.length ?? 0),
    newBackoff: addToBackoff(observed.backoff, newSucceeded, newFailed),
    ...indexes,
    finished: whyFinished(observed, failed, indexes, nowMs),
  };
}

type Indexes = Pick<JobContext, "knownSucceeded" | "succeededIndexes" | "failedIndexes" | "retained">;

function analyseIndexes({ job, pods, counted }: ObservedJob): Indexes {
  if (!isIndexed(job)) {
    return { knownSucceeded: NO_INDEXES, succeededIndexes: NO_INDEXES, failedIndexes: undefined, retained: new Map() };
  }
  const completions = job.spec.completions ?? 0;
  const knownSucceeded = parseIndexes(job.status?.completedIndexes, completions);
  const indexed = pods.flatMap((pod) => {
    const index = completionIndex(pod, job);
    return index !== undefined && isTracked(pod) ? [{ pod, index }] : [];
  });
  const nowSucceeded = indexed.filter(({ pod }) => pod.status?.phase === "Succeeded").map(({ index }) => index);
  const succeededIndexes = unionIndexes(knownSucceeded, indexSetOf(nowSucceeded));
  const retained = new Map<number, Pod>();
  if (job.spec.backoffLimitPerIndex === undefined)
    return { knownSucceeded, succeededIndexes, failedIndexes: undefined, retained };
  const failedPods = indexed.filter(({ pod }) => isPodFailed(pod, job));
  const nowFailed = failedPods.filter(({ pod }) => isIndexLost(job, pod)).map(({ index }) => index);
  const lost = new Set(nowFailed);
  const failedIndexes = unionIndexes(parseIndexes(job.status?.failedIndexes, completions), indexSetOf(nowFailed));
  for (const { pod, index } of failedPods) {
    if (lost.has(index) || counted.has(pod.metadata.uid ?? "")) continue;
    const last = retained.get(index);
    const later = last === undefined || (allFailures(last) <= allFailures(pod) && finishedAtMs(last) <= finishedAtMs(pod));
    if (later) retained.set(index, pod);
  }
  return { knownSucceeded, succeededIndexes, failedIndexes, retained };
}

/** This failure was the last that the index may have. */
function isIndexLost(job: Job, pod: Pod): boolean {
  const { action, counts } = judgeFailure(job.spec.podFailurePolicy, pod);
  if (action === "FailIndex") return true;
  return counts && failureCount(pod, INDEX_FAILURES) >= (job.spec.backoffLimitPerIndex ?? 0);
}

function whyFinished(
  { job, pods }: ObservedJob,
  failed: number,
  { succeededIndexes, failedIndexes }: Indexes,
  nowMs: number,
): JobCondition | undefined {
  const met = trueCondition(job.status?.conditions, "SuccessCriteriaMet");
  if (met !== undefined) return met;
  const target = trueCondition(job.status?.conditions, "FailureTarget");
  if (target !== undefined) return newCondition("Failed", "True", target.reason ?? "", target.message ?? "", nowMs);
  const fail = (reason: string, message: string): JobCondition => newCondition("FailureTarget", "True", reason, message, nowMs);
  const { podFailurePolicy, backoffLimit = 6, completions = 0, maxFailedIndexes } = job.spec;
  if (podFailurePolicy !== undefined) {
    for (const pod of pods) {
      const message = isPodFailed(pod, job) ? judgeFailure(podFailurePolicy, pod).message : undefined;
      if (message !== undefined) return fail("PodFailurePolicy", message);
    }
  }
  if (failed > backoffLimit || isPastRestartLimit(job, pods)) {
    return fail("BackoffLimitExceeded", "Job has reached the specified backoff limit");
  }
  if (deadlineInMs(job, nowMs) === 0) return fail("DeadlineExceeded", "Job was active longer than specified deadline");
  if (!isIndexed(job)) return undefined;
  const lost = countIndexes(failedIndexes ?? NO_INDEXES);
  if (maxFailedIndexes !== undefined && lost > maxFailedIndexes) {
    return fail("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
  }
  if (lost > 0 && lost + countIndexes(succeededIndexes) >= completions) return fail("FailedIndexes", "Job has failed indexes");
  const message = matchSuccessPolicy(job.spec.successPolicy, completions, succeededIndexes);
  return message === undefined ? undefined : newCondition("SuccessCriteriaMet", "True", "SuccessPolicy", message, nowMs);
}

/** Containers that are started again by the kubelet count as failures too. */
function isPastRestartLimit(job: Job, pods: readonly Pod[]): boolean {
  if (job.spec.template.spec?.restartPolicy !== "OnFailure") return false;
  let restarts = 0;
  for (const { status } of pods) {
    if (status?.phase !== "Running" && status?.phase !== "Pending") continue;
    for (const container of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) {
      restarts += container.restartCount ?? 0;
    }
  }
  const { backoffLimit = 6 } = job.spec;
  return backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit;
}

/** Milliseconds until the Job has been active for too long; undefined when it may be for ever, or is not. */
export function deadlineInMs(job: Job, nowMs: number): number | undefined {
  const { activeDeadlineSeconds } = job.spec;
  if (activeDeadlineSeconds === undefined || isSuspended(job)) return undefined;
  const startMs = parseTime(job.status?.startTime) ?? nowMs;
  return Math.max(0, startMs + activeDeadlineSeconds * 1000 - nowMs);
}
