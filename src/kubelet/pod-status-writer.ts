import type { Pod, PodStatus } from "#api/generated/core/v1.ts";

/** Takes the statuses that pod workers tell. */
export interface PodStatusWriter {
  /**
   * Tells a status; with `final` nothing of the pod runs any more, and it may be removed. `onWritten` is called when the API has taken this
   * very status, with the pod as it is then.
   */
  write(pod: Pod, status: PodStatus, final: boolean, onWritten?: (written: Pod) => void): void;
}
