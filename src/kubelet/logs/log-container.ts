import type { ContainerStatus, PodStatus } from "#api/generated/core/v1.ts";

/** A container whose log can be read, or why there is none. */
export type LogContainer = { readonly containerId: string } | { readonly message: string };

/** Which of a container's attempts has the log that is wanted (upstream's `validateContainerLogStatus`). */
export function logContainer(podName: string, status: PodStatus, name: string, previous: boolean): LogContainer {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = status;
  const found = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses].find((one) => one.name === name);
  const where = `container "${name}" in pod "${podName}"`;
  if (found === undefined) return { message: `${where} is not available` };
  const last = found.lastState?.terminated?.containerID ?? "";
  if (previous) return last === "" ? { message: `previous terminated ${where} not found` } : { containerId: idOf(last) };
  return currentContainer(found, last, where);
}

function currentContainer({ state, containerID = "", lastState }: ContainerStatus, last: string, where: string): LogContainer {
  if (state?.running !== undefined) return { containerId: idOf(containerID) };
  if (state?.terminated !== undefined || lastState?.terminated !== undefined) {
    const own = state?.terminated?.containerID ?? "";
    const id = own === "" ? last : own;
    return id === "" ? { message: `${where} is terminated` } : { containerId: idOf(id) };
  }
  const { waiting } = state ?? {};
  if (waiting === undefined) return { message: `${where} is waiting to start - no logs yet` };
  const reasons: Readonly<Record<string, string>> = {
    ErrImagePull: "image can't be pulled",
    ImagePullBackOff: "trying and failing to pull image",
  };
  const { reason = "" } = waiting;
  return { message: `${where} is waiting to start: ${reasons[reason] ?? reason}` };
}

/** Without the runtime's name before it. */
function idOf(containerId: string): string {
  return containerId.slice(containerId.indexOf("://") + 3);
}
