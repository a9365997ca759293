import type { DaemonSet, DaemonSetStatus } from "#api/generated/apps/v1.ts";
import { isPodAvailable, isPodReady } from "#component-helpers/pod/pod-conditions.ts";
import { byAssignmentAndAge, type DaemonNode, isUpToDate } from "./daemon-pods.ts";

/** The counts of a DaemonSet as they are. Upstream's `updateDaemonSetStatus`. */
export function countDaemons(set: DaemonSet, nodes: readonly DaemonNode[], hash: string, nowMs: number): DaemonSetStatus {
  let desired = 0;
  let current = 0;
  let misscheduled = 0;
  let ready = 0;
  let available = 0;
  let updated = 0;
  for (const { pods = [], shouldRun } of nodes) {
    const oldest = pods.length > 1 ? [...pods].sort(byAssignmentAndAge)[0] : pods[0];
    if (!shouldRun) {
      if (oldest !== undefined) misscheduled++;
      continue;
    }
    desired++;
    if (oldest === undefined) continue;
    current++;
    if (isPodReady(oldest)) ready++;
    if (isPodAvailable(oldest, set.spec.minReadySeconds ?? 0, nowMs)) available++;
    if (isUpToDate(set, oldest, hash)) updated++;
  }
  const { observedGeneration, collisionCount, conditions } = set.status ?? {};
  return {
    desiredNumberScheduled: desired,
    currentNumberScheduled: current,
    numberMisscheduled: misscheduled,
    numberReady: ready,
    ...(updated > 0 ? { updatedNumberScheduled: updated } : {}),
    ...(available > 0 ? { numberAvailable: available } : {}),
    ...(desired > available ? { numberUnavailable: desired - available } : {}),
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    ...(conditions === undefined ? {} : { conditions }),
  };
}
