import { rpcText } from "#cri/cri-error.ts";

/** Why a pod could not be ended: the event's message, as upstream puts it together from its parts (`PodSyncResult.Error`). */
export function killPodText(podUid: string, running: readonly string[], error: unknown): string {
  const why = JSON.stringify(rpcText(error));
  const failures = [
    ...running.map((name) => `failed to "KillContainer" for "${name}" with KillContainerError: ${why}`),
    `failed to "KillPodSandbox" for "${podUid}" with KillPodSandboxError: ${why}`,
  ];
  return `error killing pod: ${failures.length === 1 ? failures.join("") : `[${failures.join(", ")}]`}`;
}
