import type { Container, Pod } from "#api/generated/core/v1.ts";
import type { ContainerStatus } from "#cri/container.ts";
import { hasChanged } from "./kuberuntime/labels.ts";
import {
  earlier,
  ephemeralContainers,
  isSidecar,
  latestAttempt,
  type ObservedPod,
  restarts,
  ruleFor,
  timesOf,
} from "./observed-pod.ts";
import { probe } from "./probes.ts";

/** A container to start now. */
export interface ContainerStart {
  readonly container: Container;
  readonly isInit: boolean;
  /** 0 for the first start. */
  readonly attempt: number;
  /** The container whose processes an ephemeral container is to see, by its id. */
  readonly targetId?: string;
}

/** A container to stop now, and why. */
export interface ContainerKill {
  readonly id: string;
  readonly name: string;
  readonly message: string;
  /** Seconds that it is given, when not those of the pod. */
  readonly graceSeconds?: number;
}

/** What brings a pod closer to its spec. */
export interface PodActions {
  readonly createSandbox: boolean;
  /** All containers are ended, and begin anew as in a new pod. */
  readonly restartAll?: boolean;
  readonly start: readonly ContainerStart[];
  readonly kill: readonly ContainerKill[];
  /** Containers that would start, were they not held back; by name. */
  readonly backedOff: readonly string[];
  /** When to look again although nothing happens, in milliseconds on the scale of {@link PodSituation.nowMs}. */
  readonly wakeAtMs: number | undefined;
  /** No container will run again: what still runs is a sidecar, and to be stopped. */
  readonly finished: boolean;
}

/** What {@link computePodActions} decides by. */
export interface PodSituation {
  readonly pod: Pod;
  readonly observed: ObservedPod;
  /** By `Clock.elapsed`. */
  readonly nowMs: number;
  /** When a container that ended at a time may start again. */
  readonly allowedAtMs: (name: string, finishedAtMs: number) => number;
  /** Attempts that containers had before this runtime knew them; by name. */
  readonly attemptsBefore: (name: string) => number;
}

const NOTHING: PodActions = { createSandbox: false, start: [], kill: [], backedOff: [], wakeAtMs: undefined, finished: false };

/** Decides, and does nothing (upstream's `computePodActions`): init containers one by one, sidecars first, then the rest. */
export function computePodActions(situation: PodSituation): PodActions {
  const { pod, observed } = situation;
  if (observed.sandbox?.state !== "SANDBOX_READY") return withoutSandbox(situation);
  const plan = new Plan(situation);
  const restartAll = plan.restartAll();
  if (restartAll !== undefined) return restartAll;
  for (const container of ephemeralContainers(pod)) plan.ephemeralContainer(container);
  const initialized = plan.initContainers(pod.spec.initContainers ?? []);
  if (initialized === "failed") return plan.actions(true);
  if (initialized === "pending") return plan.actions(false);
  const running = pod.spec.containers.filter((container) => plan.mainContainer(container)).length;
  return plan.actions(running === 0);
}

/** A pod whose containers have ended for good needs no sandbox any more, when it had one. */
function withoutSandbox({ pod, observed }: PodSituation): PodActions {
  const hadContainers = observed.sandbox !== undefined && observed.containers.length > 0;
  const ends = (container: Container): boolean => {
    const status = latestAttempt(observed, container.name);
    return status?.state === "CONTAINER_EXITED" && !restarts(pod, container, false, status.exitCode);
  };
  const isNever = pod.spec.restartPolicy === "Never" && pod.spec.containers.every((one) => one.restartPolicy === undefined);
  if (hadContainers && (isNever || pod.spec.containers.every(ends))) return { ...NOTHING, finished: true };
  return { ...NOTHING, createSandbox: true };
}

class Plan {
  readonly #situation: PodSituation;
  readonly #start: ContainerStart[] = [];
  readonly #kill: ContainerKill[] = [];
  readonly #backedOff: string[] = [];
  #wakeAtMs: number | undefined;

  constructor(situation: PodSituation) {
    this.#situation = situation;
  }

  /** One has ended whose rule says that all begin anew: the others are ended first. */
  restartAll(): PodActions | undefined {
    const { pod, observed, nowMs, allowedAtMs } = this.#situation;
    const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
    const statuses = all.map((container) => ({ container, status: latestAttempt(observed, container.name) }));
    const cause = statuses.find(
      ({ container, status }) =>
        status?.state === "CONTAINER_EXITED" && ruleFor(container, status.exitCode) === "RestartAllContainers",
    );
    if (cause?.status === undefined) return undefined;
    const { name } = cause.container;
    const running = statuses.flatMap(({ status }) => (status?.state === "CONTAINER_RUNNING" ? [status] : []));
    const message = `Stopping container because container ${name} exited with a code whose rule restarts all containers`;
    const kill = running.map(({ id, metadata }) => ({ id, name: metadata.name, message }));
    if (kill.length > 0) return { ...NOTHING, kill };
    const atMs = allowedAtMs(name, timesOf(observed, cause.status).finishedAtMs ?? nowMs);
    return nowMs < atMs ? { ...NOTHING, backedOff: [name], wakeAtMs: atMs } : { ...NOTHING, restartAll: true };
  }

  /** Does not wait for initialization. */
  ephemeralContainer(container: ReturnType<typeof ephemeralContainers>[number]): void {
    const { observed } = this.#situation;
    if (latestAttempt(observed, container.name) !== undefined) return;
    const { targetContainerName = "" } = container;
    const target = targetContainerName === "" ? undefined : latestAttempt(observed, targetContainerName)?.id;
    this.#startOrWait(container, false, undefined, target);
  }

  /** Starts the first init container that has to run; those behind it wait. */
  initContainers(containers: readonly Container[]): "done" | "pending" | "failed" {
    const { pod, observed } = this.#situation;
    for (const container of containers) {
      const status = latestAttempt(observed, container.name);
      if (isSidecar(container)) {
        if (!this.#keepRunning(container, status)) return "pending";
        if (!this.#probe(container, status)) return "pending";
        continue;
      }
      if (status?.state === "CONTAINER_EXITED" && status.exitCode === 0) continue;
      if (status?.state === "CONTAINER_EXITED" && !restarts(pod, container, true, status.exitCode)) return "failed";
      if (status?.state !== "CONTAINER_RUNNING") this.#startOrWait(container, true, status);
      return "pending";
    }
    return "done";
  }

  #keepRunning(container: Container, status: ContainerStatus | undefined): boolean {
    if (status?.state === "CONTAINER_RUNNING") {
      this.#killUnhealthy(container, status);
      return true;
    }
    this.#startOrWait(container, true, status);
    return false;
  }

  /** Whether it has started; what will change by itself is looked at then. */
  #probe(container: Container, status: ContainerStatus | undefined): boolean {
    const { pod, observed, nowMs } = this.#situation;
    const { startedAtMs } = status === undefined ? {} : timesOf(observed, status);
    const found = probe(pod, container, status, { nowMs, startedAtMs }, observed.probed?.get(status?.id ?? ""));
    this.#wakeAtMs = earlier(this.#wakeAtMs, found.changesAtMs);
    return found.started;
  }

  #killUnhealthy({ name }: Container, { id }: ContainerStatus): void {
    const { failed } = this.#situation.observed.probed?.get(id) ?? {};
    if (failed === undefined) return;
    const { kind, graceSeconds } = failed;
    const message = `Container ${name} failed ${kind} probe, will be restarted`;
    this.#kill.push({ id, name, message, ...(graceSeconds === undefined ? {} : { graceSeconds }) });
  }

  /** Whether the container runs or will run. */
  mainContainer(container: Container): boolean {
    const { pod, observed } = this.#situation;
    const status = latestAttempt(observed, container.name);
    if (status?.state === "CONTAINER_RUNNING") {
      if (hasChanged(status, container)) {
        const message = `Container ${container.name} definition changed, will be restarted`;
        this.#kill.push({ id: status.id, name: container.name, message });
      } else this.#killUnhealthy(container, status);
      this.#probe(container, status);
      return true;
    }
    const changed = status !== undefined && hasChanged(status, container);
    if (status?.state === "CONTAINER_EXITED" && !changed && !restarts(pod, container, false, status.exitCode)) return false;
    this.#startOrWait(container, false, status);
    return true;
  }

  #startOrWait(container: Container, isInit: boolean, status: ContainerStatus | undefined, targetId?: string): void {
    const { observed, nowMs, allowedAtMs, attemptsBefore } = this.#situation;
    const { finishedAtMs } = status === undefined ? {} : timesOf(observed, status);
    if (finishedAtMs !== undefined) {
      const allowed = allowedAtMs(container.name, finishedAtMs);
      if (nowMs < allowed) {
        this.#backedOff.push(container.name);
        this.#wakeAtMs = earlier(this.#wakeAtMs, allowed);
        return;
      }
    }
    const attempt = status === undefined ? attemptsBefore(container.name) : status.metadata.attempt + 1;
    this.#start.push({ container, isInit, attempt, ...(targetId === undefined ? {} : { targetId }) });
  }

  actions(finished: boolean): PodActions {
    return {
      createSandbox: false,
      start: finished ? [] : this.#start,
      kill: this.#kill,
      backedOff: this.#backedOff,
      wakeAtMs: this.#wakeAtMs,
      finished,
    };
  }
}
