import type { Container, EphemeralContainer, Pod } from "#api/generated/core/v1.ts";
import type { ContainerStatus } from "#cri/container.ts";
import type { PodSandboxStatus } from "#cri/pod-sandbox.ts";
import type { ContainerTimes } from "./container-times.ts";
import type { ProbeFindings } from "./handlers/container-prober.ts";

/** What the runtime has of a pod: its sandbox, and all containers with their earlier attempts. */
export interface ObservedPod {
  /** The newest. */
  readonly sandbox: PodSandboxStatus | undefined;
  /** All of them, newest first; the newest alone when absent. */
  readonly sandboxes?: readonly PodSandboxStatus[];
  readonly containers: readonly ContainerStatus[];
  /** By the container's id; as the runtime tells them when absent, where no clock is ever set. */
  readonly times?: ReadonlyMap<string, ContainerTimes>;
  /** What probes that are carried out have found, by the container's id. */
  readonly probed?: ReadonlyMap<string, ProbeFindings>;
}

/** When a container started and ended, for how long ago that is. */
export function timesOf({ times }: ObservedPod, status: ContainerStatus): ContainerTimes {
  return times?.get(status.id) ?? status;
}

/** The newest attempt of a container. */
export function latestAttempt(observed: ObservedPod, name: string): ContainerStatus | undefined {
  return attemptsOf(observed, name)[0];
}

/** All attempts of a container, newest first. */
export function attemptsOf(observed: ObservedPod, name: string): ContainerStatus[] {
  return observed.containers
    .filter(({ metadata }) => metadata.name === name)
    .sort((a, b) => b.metadata.attempt - a.metadata.attempt);
}

/** Whether a container's process is there. */
export function isRunning({ state }: Pick<ContainerStatus, "state">): boolean {
  return state === "CONTAINER_RUNNING";
}

/** An init container that goes on running beside the others. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === "Always";
}

/** All containers of a pod's spec, of any kind. */
export function containersOf(pod: Pod): readonly Container[] {
  return [...pod.spec.containers, ...(pod.spec.initContainers ?? []), ...ephemeralContainers(pod)];
}

/** Containers that were added for debugging: they start once, at any time, and never again. */
export function ephemeralContainers({ spec }: Pod): readonly (Container & Pick<EphemeralContainer, "targetContainerName">)[] {
  return (spec.ephemeralContainers ?? []).map((container: EphemeralContainer) => ({ ...container, restartPolicy: "Never" }));
}

/** What is done about a container that ended, if it has a rule for that: its first that fits (KEP-5307, KEP-5532). */
export function ruleFor({ restartPolicy, restartPolicyRules = [] }: Container, exitCode: number): string | undefined {
  // Rules are for containers with a policy of their own.
  if (restartPolicy === undefined) return undefined;
  return restartPolicyRules.find(({ exitCodes }) => {
    const isNamed = exitCodes?.values?.includes(exitCode) ?? false;
    return exitCodes?.operator === "In" ? isNamed : exitCodes?.operator === "NotIn" && !isNamed;
  })?.action;
}

/** Whether a container that ended is started again (upstream's `ContainerShouldRestart`). */
export function restarts(pod: Pod, container: Container, isInit: boolean, exitCode: number): boolean {
  if (ruleFor(container, exitCode) !== undefined) return true;
  const own = container.restartPolicy;
  const policy = own ?? (isInit && pod.spec.restartPolicy === "Always" ? "OnFailure" : (pod.spec.restartPolicy ?? "Always"));
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

/** The earlier of two times; undefined is never. */
export function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}
