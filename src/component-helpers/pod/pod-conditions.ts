import type { Pod, PodCondition } from "#api/generated/core/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";

/** The condition of a type, if the pod has one. */
export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

/** Its `Ready` condition is true. */
export function isPodReady(pod: Pod): boolean {
  return podCondition(pod, "Ready")?.status === "True";
}

/** Succeeded or Failed: its containers do not run again. */
export function isPodTerminal(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

/** Its deletion has begun. */
export function isPodTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

/** Counts as a replica: neither terminal nor being deleted. */
export function isPodActive(pod: Pod): boolean {
  return !isPodTerminal(pod) && !isPodTerminating(pod);
}

/**
 * Milliseconds until a ready pod has been ready for `minReadySeconds`: 0 when it is available now, undefined when it is
 * not ready or does not say since when.
 */
export function podAvailableInMs(pod: Pod, minReadySeconds: number, nowMs: number): number | undefined {
  const ready = podCondition(pod, "Ready");
  return ready?.status === "True" ? readyAvailableInMs(ready.lastTransitionTime, minReadySeconds, nowMs) : undefined;
}

/** The same for a pod that is ready since a time, as its condition tells it. */
export function readyAvailableInMs(since: string | undefined, minReadySeconds: number, nowMs: number): number | undefined {
  if (minReadySeconds === 0) return 0;
  const sinceMs = parseTime(since);
  if (sinceMs === undefined) return undefined;
  return Math.max(0, sinceMs + minReadySeconds * 1000 - nowMs);
}

/** Upstream's `podutil.IsPodAvailable`. */
export function isPodAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  return podAvailableInMs(pod, minReadySeconds, nowMs) === 0;
}
