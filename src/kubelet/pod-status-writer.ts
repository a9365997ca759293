import type { Pod, PodStatus } from "#api/generated/core/v1.ts";

/** Takes the statuses that pod workers tell. */
export interface PodStatusWriter {
  /** Tells a status; with `final` nothing of the pod runs any more, and it may be removed. */
  write(pod: Pod, status: PodStatus, final: boolean): void;
}
