import type { Pod } from "#api/generated/core/v1.ts";
import { allFailures, finishedAtMs } from "./job-pods.ts";

/** Before the first pod that replaces a failed one; doubled with every further failure. */
export const FAILURE_BACKOFF_MS = 10_000;
/** The longest wait. */
export const FAILURE_BACKOFF_MAX_MS = 600_000;

/** What a Job's controller remembers of failures. */
export interface BackoffRecord {
  readonly failuresSinceSuccess: number;
  readonly lastFailureMs: number | undefined;
}

/** No failure yet. */
export const NO_BACKOFF: BackoffRecord = { failuresSinceSuccess: 0, lastFailureMs: undefined };

/** The record with pods that ended since. A success clears the failures before it. */
export function addToBackoff(record: BackoffRecord, succeeded: readonly Pod[], failed: readonly Pod[]): BackoffRecord {
  if (failed.length === 0 && succeeded.length === 0) return record;
  const failures = failed.map(finishedAtMs);
  if (succeeded.length === 0) {
    return {
      failuresSinceSuccess: record.failuresSinceSuccess + failures.length,
      lastFailureMs: latest(failures),
    };
  }
  const lastSuccessMs = latest(succeeded.map(finishedAtMs));
  const since = failures.filter((ms) => ms >= lastSuccessMs);
  return { failuresSinceSuccess: since.length, lastFailureMs: since.length === 0 ? undefined : latest(since) };
}

/** Milliseconds until the Job may make pods again. */
export function backoffRemainingMs({ failuresSinceSuccess, lastFailureMs }: BackoffRecord, nowMs: number): number {
  return lastFailureMs === undefined ? 0 : remainingMs(failuresSinceSuccess, lastFailureMs, nowMs);
}

/** Milliseconds until a failed pod may be replaced, where each index has its own limit. */
export function indexBackoffRemainingMs(failed: Pod | undefined, nowMs: number): number {
  return failed === undefined ? 0 : remainingMs(allFailures(failed) + 1, finishedAtMs(failed), nowMs);
}

function remainingMs(failures: number, lastFailureMs: number, nowMs: number): number {
  if (failures === 0) return 0;
  const backoffMs = Math.min(FAILURE_BACKOFF_MS * 2 ** (failures - 1), FAILURE_BACKOFF_MAX_MS);
  return Math.max(0, lastFailureMs + backoffMs - nowMs);
}

function latest(times: readonly number[]): number {
  return times.reduce((last, time) => Math.max(last, time), Number.NEGATIVE_INFINITY);
}
