import type { Pod } from "#api/generated/core/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { podCondition } from "#component-helpers/pod/pod-conditions.ts";

const PHASE_ORDER: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };
const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";

/**
 * The pods whose loss hurts least, as upstream's `ActivePodsWithRanks` sorts them: unassigned, pending, not ready, low deletion cost,
 * crowded nodes, ready for a shorter time, more restarts, younger. Times count by their logarithm (KEP-2185), equals by uid.
 * `related` are all active pods of the same purpose. Does not sort those that stay: in a rollout few of thousands go each time.
 */
export function chooseForDeletion(pods: readonly Pod[], related: readonly Pod[], count: number, nowMs: number): Pod[] {
  const onNode = new Map<string, number>();
  for (const { spec } of related) if (spec.nodeName) onNode.set(spec.nodeName, (onNode.get(spec.nodeName) ?? 0) + 1);
  const chosen: Rank[] = [];
  for (const pod of pods) {
    const rank: Rank = { pod, facts: factsOf(pod), crowd: onNode.get(pod.spec.nodeName ?? "") ?? 0 };
    const last = chosen[count - 1];
    if (last !== undefined && compare(last, rank, nowMs) <= 0) continue;
    let from = 0;
    for (let to = chosen.length; from < to; ) {
      const middle = (from + to) >> 1;
      if (compare(chosen[middle] ?? rank, rank, nowMs) <= 0) from = middle + 1;
      else to = middle;
    }
    chosen.splice(from, 0, rank);
    if (chosen.length > count) chosen.pop();
  }
  return chosen.map(({ pod }) => pod);
}

interface Rank {
  readonly pod: Pod;
  readonly facts: Facts;
  /** Others on its node. */
  readonly crowd: number;
}

/** What the pod itself tells. */
interface Facts {
  readonly uid: string;
  readonly assigned: number;
  readonly phase: number;
  readonly ready: number;
  readonly deletionCost: number;
  readonly readySinceMs: number | undefined;
  readonly restarts: number;
  readonly createdMs: number | undefined;
}

/** Pods are not changed in place, and the same ones are asked of at each step of a rollout. */
const known = new WeakMap<Pod, Facts>();

function factsOf(pod: Pod): Facts {
  let facts = known.get(pod);
  if (facts !== undefined) return facts;
  const ready = podCondition(pod, "Ready");
  facts = {
    uid: pod.metadata.uid ?? "",
    assigned: Number((pod.spec.nodeName ?? "") !== ""),
    phase: PHASE_ORDER[pod.status?.phase ?? ""] ?? 0,
    ready: Number(ready?.status === "True"),
    deletionCost: deletionCost(pod),
    readySinceMs: parseTime(ready?.lastTransitionTime),
    restarts: restarts(pod),
    createdMs: parseTime(pod.metadata.creationTimestamp),
  };
  known.set(pod, facts);
  return facts;
}

function compare({ facts: a, crowd: aCrowd }: Rank, { facts: b, crowd: bCrowd }: Rank, nowMs: number): number {
  return (
    a.assigned - b.assigned ||
    a.phase - b.phase ||
    a.ready - b.ready ||
    a.deletionCost - b.deletionCost ||
    bCrowd - aCrowd ||
    (a.ready === 1 && b.ready === 1 ? byAge(a, b, a.readySinceMs, b.readySinceMs, nowMs) : 0) ||
    b.restarts - a.restarts ||
    byAge(a, b, a.createdMs, b.createdMs, nowMs)
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

function byAge(a: Facts, b: Facts, aMs: number | undefined, bMs: number | undefined, nowMs: number): number {
  if (aMs === bMs) return 0;
  if (aMs === undefined) return -1;
  if (bMs === undefined) return 1;
  const difference = logarithmicRank(aMs, nowMs) - logarithmicRank(bMs, nowMs);
  if (difference !== 0) return difference;
  return a.uid < b.uid ? -1 : 1;
}

/** The whole binary logarithm of an age in nanoseconds; -1 for the future. */
function logarithmicRank(ms: number, nowMs: number): number {
  const age = (nowMs - ms) * 1e6;
  return age > 0 ? Math.floor(Math.log2(age)) : -1;
}
