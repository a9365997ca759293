import type { Pod } from "#api/generated/core/v1.ts";
import { isPodAvailable, isPodReady, isPodTerminating } from "#component-helpers/pod/pod-conditions.ts";

/** Label with the name of the revision that a pod was made from. */
export const REVISION_LABEL = "controller-revision-hash";

/** The name of the pod's revision; empty when it has none. */
export function podRevision(pod: Pod): string {
  return pod.metadata.labels?.[REVISION_LABEL] ?? "";
}

/** The server has it: it has a phase. */
export function isCreated(pod: Pod): boolean {
  return (pod.status?.phase ?? "") !== "";
}

/** Its phase is Running and its Ready condition is true. */
export function isRunningAndReady(pod: Pod): boolean {
  return pod.status?.phase === "Running" && isPodReady(pod);
}

/** Counts against what may be unavailable. */
export function isUnavailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  return !isPodAvailable(pod, minReadySeconds, nowMs) || isPodTerminating(pod);
}
