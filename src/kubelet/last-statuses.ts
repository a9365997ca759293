import type { ContainerStatus, Pod } from "#api/generated/core/v1.ts";
import { isSidecar } from "./observed-pod.ts";
import type { PodStatuses } from "./pod-phase.ts";

/** What is told of a container that never came to be, or of which nothing is left. */
const LOST: NonNullable<ContainerStatus["state"]> = {
  terminated: {
    exitCode: 137,
    reason: "ContainerStatusUnknown",
    message: "The container could not be located when the pod was terminated",
  },
};

/**
 * The statuses of a pod of which nothing runs any more (upstream's `TerminatePod`): containers that have not ended have been
 * lost, unless the pod never came to them.
 */
export function lastStatuses(pod: Pod, { init, main }: PodStatuses): PodStatuses {
  const begun = init.reduce((last, status, at) => (hasBegun(status) ? at : last), -1);
  return {
    init: init.map((status, at) => (at <= begun ? ended(status) : status)),
    main: isInitialized(pod, { init, main }) ? main.map(ended) : main,
  };
}

function ended(status: ContainerStatus): ContainerStatus {
  return status.state?.terminated === undefined ? { ...status, state: LOST } : status;
}

function hasBegun({ state, lastState }: ContainerStatus): boolean {
  return state?.running !== undefined || state?.terminated !== undefined || lastState?.terminated !== undefined;
}

function isInitialized({ spec }: Pod, { init, main }: PodStatuses): boolean {
  const last = spec.initContainers?.at(-1);
  if (last === undefined || main.some(hasBegun)) return true;
  const status = init.at(-1);
  return isSidecar(last) ? status?.started === true : status?.state?.terminated?.exitCode === 0;
}
