import type { ContainerStatus, Pod } from "#api/generated/core/v1.ts";
import { isSidecar, restarts } from "./observed-pod.ts";

/** The statuses of a pod's containers, in the order of its spec. */
export interface PodStatuses {
  readonly init: readonly ContainerStatus[];
  readonly main: readonly ContainerStatus[];
}

/** Upstream's `getPhase`; `ending` when no container will be started any more. */
export function podPhase(pod: Pod, { init, main }: PodStatuses, ending: boolean): string {
  const initState = initProgress(pod, init);
  if (initState === "failed" && (pod.spec.restartPolicy === "Never" || ending)) return "Failed";
  const running = main.filter((status) => status.state?.running !== undefined).length;
  const stopped = main.filter((status) => hasStopped(status));
  if (initState !== "done" && !ending) return "Pending";
  if (running + stopped.length < main.length) return ending ? "Failed" : "Pending";
  if (running > 0) return "Running";
  const failed = stopped.some((status) => status.state?.terminated?.exitCode !== 0);
  if (ending) return failed ? "Failed" : "Succeeded";
  const willRestart = pod.spec.containers.some((container, index) => {
    const status = main[index];
    const ended = status?.state?.terminated ?? status?.lastState?.terminated;
    return ended !== undefined && restarts(pod, container, false, ended.exitCode);
  });
  if (willRestart) return "Running";
  return failed ? "Failed" : "Succeeded";
}

function hasStopped({ state, lastState }: ContainerStatus): boolean {
  return state?.terminated !== undefined || (state?.waiting !== undefined && lastState?.terminated !== undefined);
}

/** Whether init containers are done: those that run on have started, the others have succeeded. */
export function initProgress(pod: Pod, statuses: readonly ContainerStatus[]): "done" | "pending" | "failed" {
  let pending = false;
  for (const container of pod.spec.initContainers ?? []) {
    const status = statuses.find(({ name }) => name === container.name);
    if (isSidecar(container)) {
      if (status?.started !== true && status?.state?.terminated === undefined) pending = true;
      continue;
    }
    const ended = status?.state?.terminated ?? status?.lastState?.terminated;
    if (ended === undefined) pending = true;
    else if (ended.exitCode !== 0) return "failed";
    else if (status?.state?.terminated === undefined) pending = true;
  }
  return pending ? "pending" : "done";
}
