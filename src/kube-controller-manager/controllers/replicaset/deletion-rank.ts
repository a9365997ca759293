import type { Pod } from "#api/generated/core/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { podCondition } from "#component-helpers/pod/pod-conditions.ts";

const PHASE_ORDER: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };
const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";

/**
 * Sorts pods so that those come first whose loss hurts least, as upstream's `ActivePodsWithRanks`: unassigned, pending,
 * not ready, low deletion cost, crowded nodes, ready for a shorter time, more restarts, younger. Times count by their
 * logarithm (KEP-2185), equals by uid. `related` are all active pods of the same purpose.
 */
export function rankForDeletion(pods: readonly Pod[], related: readonly Pod[], nowMs: number): Pod[] {
  const onNode = new Map<string, number>();
  for (const pod of related) {
    const node = pod.spec.nodeName ?? "";
    if (node !== "") onNode.set(node, (onNode.get(node) ?? 0) + 1);
  }
  return pods
    .map((pod) => rankOf(pod, onNode, nowMs))
    .sort(compare)
    .map(({ pod }) => pod);
}

/** What decides about a pod, found out once: thousands are compared some dozen times each. */
interface Rank {
  readonly pod: Pod;
  readonly uid: string;
  readonly assigned: number;
  readonly phase: number;
  readonly ready: number;
  readonly deletionCost: number;
  /** Others on its node. */
  readonly crowd: number;
  readonly readyFor: Age | undefined;
  readonly restarts: number;
  readonly age: Age | undefined;
}

interface Age {
  readonly sinceMs: number;
  readonly rank: number;
}

function rankOf(pod: Pod, onNode: ReadonlyMap<string, number>, nowMs: number): Rank {
  const node = pod.spec.nodeName ?? "";
  const ready = podCondition(pod, "Ready");
  return {
    pod,
    uid: pod.metadata.uid ?? "",
    assigned: Number(node !== ""),
    phase: PHASE_ORDER[pod.status?.phase ?? ""] ?? 0,
    ready: Number(ready?.status === "True"),
    deletionCost: deletionCost(pod),
    crowd: onNode.get(node) ?? 0,
    readyFor: ageOf(ready?.lastTransitionTime, nowMs),
    restarts: restarts(pod),
    age: ageOf(pod.metadata.creationTimestamp, nowMs),
  };
}

function compare(a: Rank, b: Rank): number {
  return (
    a.assigned - b.assigned ||
    a.phase - b.phase ||
    a.ready - b.ready ||
    a.deletionCost - b.deletionCost ||
    b.crowd - a.crowd ||
    (a.ready === 1 && b.ready === 1 ? byAge(a, b, a.readyFor, b.readyFor) : 0) ||
    b.restarts - a.restarts ||
    byAge(a, b, a.age, b.age)
  );
}

function deletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.[DELETION_COST];
  return text !== undefined && /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : 0;
}

function restarts(pod: Pod): number {
  let most = 0;
  for (const { restartCount } of pod.status?.containerStatuses ?? []) most = Math.max(most, restartCount ?? 0);
  return most;
}

function ageOf(since: string | undefined, nowMs: number): Age | undefined {
  const sinceMs = parseTime(since);
  return sinceMs === undefined ? undefined : { sinceMs, rank: logarithmicRank(sinceMs, nowMs) };
}

function byAge(a: Rank, b: Rank, aAge: Age | undefined, bAge: Age | undefined): number {
  if (aAge?.sinceMs === bAge?.sinceMs) return 0;
  if (aAge === undefined) return -1;
  if (bAge === undefined) return 1;
  if (aAge.rank !== bAge.rank) return aAge.rank - bAge.rank;
  return a.uid < b.uid ? -1 : 1;
}

/** The whole binary logarithm of an age in nanoseconds; -1 for the future. */
function logarithmicRank(ms: number, nowMs: number): number {
  const age = (nowMs - ms) * 1e6;
  return age > 0 ? Math.floor(Math.log2(age)) : -1;
}
