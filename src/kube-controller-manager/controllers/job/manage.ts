import type { Pod } from "#api/generated/core/v1.ts";
import { isPodTerminating } from "#component-helpers/pod/pod-conditions.ts";
import { chooseForDeletion } from "../replicaset/deletion-rank.ts";
import { backoffRemainingMs, indexBackoffRemainingMs } from "./backoff.ts";
import { firstAbsentIndexes, indexSetOf, NO_INDEXES, unionIndexes } from "./index-set.ts";
import type { JobContext } from "./job-context.ts";
import { completionIndex, isIndexed, isSuspended, replacesOnlyFailed } from "./job-pods.ts";

/** Pods created or deleted in one pass; the rest follows in the next. */
export const MAX_POD_CHANGES_PER_SYNC = 500;

/** What to do about the number of pods. */
export type ManageStep =
  | { readonly type: "none" }
  /** Indexes of the new pods; undefined ones for Jobs without indexes. */
  | { readonly type: "create"; readonly indexes: readonly (number | undefined)[] }
  /** `uncounted`: they are not wanted any more, and are no failures. */
  | { readonly type: "delete"; readonly pods: readonly Pod[]; readonly uncounted: boolean }
  /** Too soon after a failure. */
  | { readonly type: "wait"; readonly afterMs: number };

/** Brings the number of active pods to what the Job wants. Upstream's `manageJob`; deletions go before creations. */
export function manage(context: JobContext): ManageStep {
  const { job, active, succeeded, nowMs } = context;
  if (isSuspended(job)) return deletion(podsToRemove(context, active.length));
  const { completions, parallelism = 1 } = job.spec;
  let wanted: number;
  if (completions === undefined) wanted = succeeded > 0 ? active.length : parallelism;
  else wanted = Math.max(0, Math.min(completions - succeeded, parallelism));
  const surplus = podsToRemove(context, Math.max(0, active.length - wanted));
  if (surplus.length > 0) return deletion(surplus);
  const ending = replacesOnlyFailed(job) ? context.terminating : 0;
  const missing = wanted - ending - active.length;
  if (missing <= 0) return { type: "none" };
  const perIndex = job.spec.backoffLimitPerIndex !== undefined;
  const waitMs = perIndex ? 0 : backoffRemainingMs(context.newBackoff, nowMs);
  if (waitMs > 0) return { type: "wait", afterMs: waitMs };
  const count = Math.min(missing, MAX_POD_CHANGES_PER_SYNC);
  if (!isIndexed(job)) return { type: "create", indexes: Array.from({ length: count }, () => undefined) };
  const indexes = pendingIndexes(context, count);
  const waits = indexes.map((index) => (perIndex ? indexBackoffRemainingMs(context.retained.get(index), nowMs) : 0));
  const now = indexes.filter((_, position) => waits[position] === 0);
  if (now.length === 0 && waits.length > 0) return { type: "wait", afterMs: Math.min(...waits) };
  return now.length === 0 ? { type: "none" } : { type: "create", indexes: now };
}

function deletion(pods: readonly Pod[]): ManageStep {
  if (pods.length === 0) return { type: "none" };
  return { type: "delete", pods: pods.slice(0, MAX_POD_CHANGES_PER_SYNC), uncounted: true };
}

function pendingIndexes({ job, active, pods, succeededIndexes, failedIndexes }: JobContext, count: number): number[] {
  const indexesOf = (list: readonly Pod[]): number[] => list.flatMap((pod) => completionIndex(pod, job) ?? []);
  const busy = replacesOnlyFailed(job) ? [...active, ...pods.filter(isPodTerminating)] : active;
  const notPending = unionIndexes(unionIndexes(succeededIndexes, failedIndexes ?? NO_INDEXES), indexSetOf(indexesOf(busy)));
  return firstAbsentIndexes(notPending, count, job.spec.completions ?? 0);
}

/** Pods of no or a doubled index, and further ones, so that there are at least `atLeast`. */
function podsToRemove({ job, active, nowMs }: JobContext, atLeast: number): readonly Pod[] {
  const remove: Pod[] = [];
  let left: Pod[] = [];
  if (isIndexed(job)) {
    const byIndex = new Map<number, Pod[]>();
    for (const pod of active) {
      const index = completionIndex(pod, job);
      if (index === undefined) remove.push(pod);
      else byIndex.set(index, [...(byIndex.get(index) ?? []), pod]);
    }
    for (const same of byIndex.values()) {
      const ranked = same.length > 1 ? chooseForDeletion(same, [], same.length, nowMs) : same;
      remove.push(...ranked.slice(0, -1));
      left.push(...ranked.slice(-1));
    }
  } else left = [...active];
  const more = atLeast - remove.length;
  if (more <= 0) return remove;
  return [...remove, ...(more < left.length ? chooseForDeletion(left, [], more, nowMs) : left)];
}
