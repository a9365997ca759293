import type { Pod } from "#api/generated/core/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { isPodReady, podCondition } from "#component-helpers/pod/pod-conditions.ts";

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
  const crowd = (pod: Pod): number => onNode.get(pod.spec.nodeName ?? "") ?? 0;
  return [...pods].sort(
    (a, b) =>
      flag(isAssigned(a), isAssigned(b)) ||
      phase(a) - phase(b) ||
      flag(isPodReady(a), isPodReady(b)) ||
      deletionCost(a) - deletionCost(b) ||
      crowd(b) - crowd(a) ||
      (isPodReady(a) && isPodReady(b) ? byAge(a, b, readyTime(a), readyTime(b), nowMs) : 0) ||
      restarts(b) - restarts(a) ||
      byAge(a, b, parseTime(a.metadata.creationTimestamp), parseTime(b.metadata.creationTimestamp), nowMs),
  );
}

/** False comes first. */
function flag(a: boolean, b: boolean): number {
  return Number(a) - Number(b);
}

function isAssigned(pod: Pod): boolean {
  return (pod.spec.nodeName ?? "") !== "";
}

function phase(pod: Pod): number {
  return PHASE_ORDER[pod.status?.phase ?? ""] ?? 0;
}

function deletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.[DELETION_COST];
  return text !== undefined && /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : 0;
}

function readyTime(pod: Pod): number | undefined {
  return parseTime(podCondition(pod, "Ready")?.lastTransitionTime);
}

function restarts(pod: Pod): number {
  let most = 0;
  for (const { restartCount } of pod.status?.containerStatuses ?? []) most = Math.max(most, restartCount ?? 0);
  return most;
}

function byAge(a: Pod, b: Pod, aMs: number | undefined, bMs: number | undefined, nowMs: number): number {
  if (aMs === bMs) return 0;
  if (aMs === undefined) return -1;
  if (bMs === undefined) return 1;
  const difference = logarithmicRank(aMs, nowMs) - logarithmicRank(bMs, nowMs);
  if (difference !== 0) return difference;
  return (a.metadata.uid ?? "") < (b.metadata.uid ?? "") ? -1 : 1;
}

/** The whole binary logarithm of an age in nanoseconds; -1 for the future. */
function logarithmicRank(ms: number, nowMs: number): number {
  const age = (nowMs - ms) * 1e6;
  return age > 0 ? Math.floor(Math.log2(age)) : -1;
}
