import type {
  ContainerStatus as ApiContainerStatus,
  Container,
  ContainerState,
  Pod,
  ResourceRequirements,
} from "#api/generated/core/v1.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import type { ContainerStatus } from "#cri/container.ts";
import { attemptsOf, ephemeralContainers, type ObservedPod, restarts, timesOf } from "./observed-pod.ts";
import { probe } from "./probes.ts";

/** What the statuses of a pod's containers are made from. */
export interface StatusSituation {
  readonly pod: Pod;
  readonly observed: ObservedPod;
  readonly nowMs: number;
  /** The same moment by `Clock.elapsed`. */
  readonly elapsedMs: number;
  /** The delay in milliseconds of a container that waits for its restart; 0 when it does not. */
  readonly backOffMs: (name: string) => number;
  /** Why a container cannot be started; by name. */
  readonly problems: ReadonlyMap<string, { readonly reason: string; readonly message: string }>;
  /** What a container has been given and has; as its spec says when absent. */
  readonly resourcesOf?: (container: Container) => {
    readonly allocated: ResourceRequirements;
    readonly actual: ResourceRequirements;
  };
  /** Stands before the ids of containers. */
  readonly runtimeName: string;
  /** Nothing runs any more, and nothing starts. */
  readonly ending: boolean;
  /** No container starts any more, though some may still run. */
  readonly isGoing?: boolean;
}

/** `containerStatuses` or `initContainerStatuses`, in the order of the spec. */
export function containerStatuses(
  situation: StatusSituation,
  containers: readonly Container[],
  isInit: boolean,
): ApiContainerStatus[] {
  return containers.map((container) => containerStatus(situation, container, isInit));
}

/** Nobody probes ephemeral containers: they are never ready. */
export function ephemeralContainerStatuses(situation: StatusSituation): ApiContainerStatus[] {
  return containerStatuses(situation, ephemeralContainers(situation.pod), false).map(({ started: _, ...status }) => ({
    ...status,
    ready: false,
  }));
}

function containerStatus(situation: StatusSituation, container: Container, isInit: boolean): ApiContainerStatus {
  const { pod, observed, elapsedMs, runtimeName } = situation;
  const [latest, previous] = attemptsOf(observed, container.name);
  const waiting = latest !== undefined && isWaitingForRestart(situation, container, latest, isInit);
  const current = waiting ? undefined : latest;
  const last = waiting ? latest : previous;
  const { startedAtMs } = current === undefined ? {} : timesOf(observed, current);
  const times = { nowMs: elapsedMs, startedAtMs };
  const { started, ready } = probe(pod, container, current, times, observed.probed?.get(current?.id ?? ""));
  const succeeded = isInit && current?.state === "CONTAINER_EXITED" && current.exitCode === 0;
  const image = latest?.image ?? container.image ?? "";
  const state = current === undefined ? waitingState(situation, container.name, waiting, isInit) : stateOf(current, runtimeName);
  const isOnce = isInit && container.restartPolicy !== "Always";
  // Member by member: V8 takes several times as long for spreads of what may be absent.
  const status: Told<ApiContainerStatus> = {
    name: container.name,
    state,
    lastState: last === undefined ? {} : { terminated: terminated(last, runtimeName) },
    ready: isOnce ? succeeded : ready,
    restartCount: latest?.metadata.attempt ?? 0,
    image,
    imageID: latest?.imageRef ?? "",
  };
  if (latest !== undefined) status.containerID = `${runtimeName}://${latest.id}`;
  status.started = isOnce ? false : started;
  tellResources(status, situation, container, current);
  tellMounts(status, container);
  return status;
}

/** A status in the making. */
type Told<T> = { -readonly [Field in keyof T]: T[Field] };

function isWaitingForRestart(
  { pod, ending, isGoing = ending }: StatusSituation,
  container: Container,
  latest: ContainerStatus,
  isInit: boolean,
): boolean {
  return !isGoing && latest.state === "CONTAINER_EXITED" && restarts(pod, container, isInit, latest.exitCode);
}

function waitingState(
  { pod, backOffMs, problems }: StatusSituation,
  name: string,
  restarting: boolean,
  isInit: boolean,
): ContainerState {
  const delayMs = restarting ? backOffMs(name) : 0;
  if (delayMs > 0) {
    const { name: podName = "", namespace = "", uid = "" } = pod.metadata;
    const message = `back-off ${formatDelay(delayMs)} restarting failed container=${name} pod=${podName}_${namespace}(${uid})`;
    return { waiting: { reason: "CrashLoopBackOff", message } };
  }
  const problem = problems.get(name);
  if (problem !== undefined) return { waiting: { reason: problem.reason, message: problem.message } };
  const initializing = isInit || (pod.spec.initContainers?.length ?? 0) > 0;
  return { waiting: { reason: initializing ? "PodInitializing" : "ContainerCreating" } };
}

/** Go's Duration text for whole seconds: `10s`, `2m40s`. */
function formatDelay(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds % 60}s`;
}

function stateOf(status: ContainerStatus, runtimeName: string): ContainerState {
  if (status.state === "CONTAINER_EXITED") return { terminated: terminated(status, runtimeName) };
  if (status.state === "CONTAINER_RUNNING") return { running: { startedAt: formatTime(status.startedAtMs ?? 0) } };
  return { waiting: { reason: "ContainerCreating" } };
}

function terminated(status: ContainerStatus, runtimeName: string): NonNullable<ContainerState["terminated"]> {
  return {
    exitCode: status.exitCode,
    reason: status.reason,
    ...(status.message === "" ? {} : { message: status.message }),
    startedAt: formatTime(status.startedAtMs ?? status.createdAtMs),
    finishedAt: formatTime(status.finishedAtMs ?? status.createdAtMs),
    containerID: `${runtimeName}://${status.id}`,
  };
}

function tellResources(
  status: Told<ApiContainerStatus>,
  situation: StatusSituation,
  container: Container,
  current: ContainerStatus | undefined,
): void {
  if (current?.state !== "CONTAINER_RUNNING" || container.resources === undefined) return;
  const own = { allocated: container.resources, actual: container.resources };
  const { allocated, actual } = situation.resourcesOf?.(container) ?? own;
  if (allocated.requests !== undefined) status.allocatedResources = allocated.requests;
  const resources: Told<ResourceRequirements> = {};
  if (actual.limits !== undefined) resources.limits = actual.limits;
  if (actual.requests !== undefined) resources.requests = actual.requests;
  status.resources = resources;
}

function tellMounts(status: Told<ApiContainerStatus>, { volumeMounts = [] }: Container): void {
  if (volumeMounts.length === 0) return;
  status.volumeMounts = volumeMounts.map(({ name, mountPath, readOnly }) =>
    readOnly ? { name, mountPath, readOnly, recursiveReadOnly: "Disabled" } : { name, mountPath },
  );
}
