import type { Job } from "#api/generated/batch/v1.ts";
import type { Pod } from "#api/generated/core/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { podCondition } from "#component-helpers/pod/pod-conditions.ts";

/** Keeps a pod until its Job has counted it (KEP-2307). */
export const TRACKING_FINALIZER = "batch.kubernetes.io/job-tracking";
/** Annotation and label with the index of a pod in an Indexed Job. */
export const COMPLETION_INDEX = "batch.kubernetes.io/job-completion-index";
/** Annotation: earlier failures of the pod's index that count towards `backoffLimitPerIndex` (KEP-3850). */
export const INDEX_FAILURES = "batch.kubernetes.io/job-index-failure-count";
/** As above, for failures that the pod failure policy ignores. */
export const INDEX_IGNORED_FAILURES = "batch.kubernetes.io/job-index-ignored-failure-count";

/** Not counted by its Job yet. */
export function isTracked(pod: Pod): boolean {
  return pod.metadata.finalizers?.includes(TRACKING_FINALIZER) ?? false;
}

/** Each index is to succeed once. */
export function isIndexed(job: Job): boolean {
  return job.spec.completionMode === "Indexed";
}

/** Paused: no pods, and no clock that runs. */
export function isSuspended(job: Job): boolean {
  return job.spec.suspend === true;
}

/** A pod that is still ending is not replaced (KEP-3939). */
export function replacesOnlyFailed(job: Job): boolean {
  return job.spec.podReplacementPolicy === "Failed" || job.spec.podFailurePolicy !== undefined;
}

/** Failed; a pod that is being deleted counts too, unless the Job waits until it ends. */
export function isPodFailed(pod: Pod, job: Job): boolean {
  const phase = pod.status?.phase;
  if (phase === "Failed") return true;
  return !replacesOnlyFailed(job) && pod.metadata.deletionTimestamp !== undefined && phase !== "Succeeded";
}

/** The pod's index; undefined without a valid one below the Job's completions. */
export function completionIndex(pod: Pod, job: Job): number | undefined {
  const text = pod.metadata.annotations?.[COMPLETION_INDEX];
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  return Number(text) < (job.spec.completions ?? 0) ? Number(text) : undefined;
}

/** A count in an annotation; 0 when there is none. */
export function failureCount(pod: Pod, annotation: typeof INDEX_FAILURES | typeof INDEX_IGNORED_FAILURES): number {
  const text = pod.metadata.annotations?.[annotation];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : 0;
}

/** Earlier failures of the pod's index, ignored or not. */
export function allFailures(pod: Pod): number {
  return failureCount(pod, INDEX_FAILURES) + failureCount(pod, INDEX_IGNORED_FAILURES);
}

/** When the pod ended, in milliseconds, by the best account that it gives: its containers', its readiness's, its deletion's. */
export function finishedAtMs(pod: Pod): number {
  const ends = (pod.status?.containerStatuses ?? []).map(({ state }) => parseTime(state?.terminated?.finishedAt));
  if (ends.length > 0 && ends.every((end) => end !== undefined)) return Math.max(...ends);
  const ready = podCondition(pod, "Ready");
  const notReadyMs = ready?.status === "False" ? parseTime(ready.lastTransitionTime) : undefined;
  if (notReadyMs !== undefined) return notReadyMs;
  const deletionMs = parseTime(pod.metadata.deletionTimestamp);
  if (deletionMs !== undefined) return deletionMs - (pod.metadata.deletionGracePeriodSeconds ?? 0) * 1000;
  return parseTime(pod.metadata.creationTimestamp) ?? 0;
}
