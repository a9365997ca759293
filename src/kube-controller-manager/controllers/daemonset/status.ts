import type { DaemonSet, DaemonSetStatus } from "#api/generated/apps/v1.ts";
import type { Counts } from "./daemon-layout.ts";

/** The status of a DaemonSet whose nodes come to these counts. Upstream's `updateDaemonSetStatus`. */
export function statusFrom(set: DaemonSet, counts: Counts): DaemonSetStatus {
  const { desired, current, misscheduled, ready, available, updated } = counts;
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
