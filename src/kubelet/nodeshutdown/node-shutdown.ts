import type { Clock } from "#base/clock.ts";
import type { Logger } from "#component-base/logging.ts";
import type { Rejection } from "../pod-admission.ts";
import type { PodWorker } from "../pod-worker.ts";
import { groupOf, type ShutdownGroup } from "./shutdown-groups.ts";

/** What pods are told that come while the node goes down (upstream's `nodeshutdown`). */
export const SHUTTING_DOWN: Rejection = {
  reason: "NodeShutdown",
  message: "Pod was rejected as the node is shutting down.",
};
/** What those are told that it ends. */
const TERMINATED: Rejection = {
  reason: "Terminated",
  message: "Pod was terminated in response to imminent node shutdown.",
  isDisruption: true,
};

/** What {@link endPods} works with. */
export interface NodeShutdownOptions {
  readonly groups: readonly ShutdownGroup[];
  readonly workers: readonly PodWorker[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Ends all pods of a node that goes down, group by group: each has the time of its group, and the next begins when all of it
 * have ended or their time is over.
 */
export async function endPods({ groups, workers, clock, logger }: NodeShutdownOptions): Promise<void> {
  for (const group of groups) {
    const members = workers.filter(({ pod }) => groupOf(groups, pod.spec.priority ?? 0) === group);
    if (members.length === 0) continue;
    logger.info(
      { priority: group.priority, pods: members.length, graceSeconds: group.graceSeconds },
      "pods end for the shutdown",
    );
    const late = new AbortController();
    const ended = Promise.all(members.map((worker) => worker.fail(TERMINATED, group.graceSeconds)));
    await Promise.race([ended, clock.sleep(group.graceSeconds * 1000, late.signal).catch(() => undefined)]);
    late.abort();
  }
}
