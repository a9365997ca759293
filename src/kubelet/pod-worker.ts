import type { Pod, PodCondition } from "#api/generated/core/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import type { Clock, Timer } from "#base/clock.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import { referenceTo } from "#client/event-target.ts";
import { COMPLETES_LABEL } from "#cri/fake/behaviour.ts";
import type { ContainerStatus, RuntimeService } from "#cri/runtime-service.ts";
import { BackOff } from "./back-off.ts";
import { attemptsOf, earlier, isSidecar, type ObservedPod } from "./observed-pod.ts";
import { type ContainerStart, computePodActions, type PodActions } from "./pod-actions.ts";
import { podStatus } from "./pod-status.ts";
import type { StatusManager } from "./status-manager.ts";

/** What a pod worker uses of its node. */
export interface PodWorkerModules {
  readonly runtime: RuntimeService;
  readonly statusManager: StatusManager;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly hostIp: string;
}

/** Dead attempts of a container that are kept, for `lastState`. */
const DEAD_ATTEMPTS_KEPT = 1;
const SYNC_RETRY_MS = 1000;

/** Brings one pod to what its spec says, and tells how far it has come. One at a time; what happens meanwhile makes it look again. */
export class PodWorker {
  readonly #modules: PodWorkerModules;
  readonly #startTimeMs: number;
  readonly #backOff = new BackOff();
  readonly #stopping = new Set<string>();
  #pod: Pod;
  #sandboxId: string | undefined;
  #sandboxes = 0;
  #timer: Timer | undefined;
  #running = false;
  #again = false;
  #paused = false;
  #removed = false;
  /** The containers are done: those that end now are not started again. */
  #finished = false;
  #failure: { reason: string; message: string } | undefined;
  #told = "";
  #conditions: readonly PodCondition[] = [];

  constructor(pod: Pod, modules: PodWorkerModules) {
    this.#pod = pod;
    this.#modules = modules;
    this.#startTimeMs = parseTime(pod.status?.startTime) ?? modules.clock.now();
  }

  /** The pod changed. */
  update(pod: Pod): void {
    this.#pod = pod;
    this.wake();
  }

  /** Something happened: a container ended, a delay is over. */
  wake(): void {
    if (this.#paused || this.#removed) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    void this.#run();
  }

  /** The node fails: nothing is done or told until {@link resume}. */
  pause(): void {
    this.#paused = true;
    this.#timer?.clear();
  }

  resume(): void {
    this.#paused = false;
    this.wake();
  }

  /** The pod is gone from the API: its containers end at once. */
  async remove(): Promise<void> {
    this.#removed = true;
    this.#timer?.clear();
    if (this.#sandboxId !== undefined) await this.#modules.runtime.removePodSandbox(this.#sandboxId);
  }

  async #run(): Promise<void> {
    let wakeAtMs: number | undefined;
    try {
      do {
        this.#again = false;
        wakeAtMs = await this.#sync();
      } while (this.#again && !this.#removed && !this.#paused);
    } catch {
      wakeAtMs = this.#modules.clock.now() + SYNC_RETRY_MS;
    }
    this.#running = false;
    this.#wakeAt(wakeAtMs);
  }

  #wakeAt(atMs: number | undefined): void {
    this.#timer?.clear();
    this.#timer = undefined;
    if (atMs === undefined || this.#removed || this.#paused) return;
    const { clock } = this.#modules;
    this.#timer = clock.setTimeout(() => this.wake(), Math.max(0, atMs - clock.now()), { unref: true });
  }

  async #sync(): Promise<number | undefined> {
    const pod = this.#pod;
    const deadlineMs = this.#deadlineMs();
    if (deadlineMs !== undefined && this.#modules.clock.now() >= deadlineMs) this.#failDeadline();
    const ends = pod.metadata.deletionTimestamp !== undefined || this.#failure !== undefined || this.#finished;
    if (ends) return this.#terminate();
    if (pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed") return undefined;
    const actions = this.#decide(await this.#observe());
    if (actions.finished) {
      this.#finished = true;
      return this.#terminate();
    }
    if (actions.createSandbox) {
      await this.#createSandbox();
      this.#again = true;
      return deadlineMs;
    }
    for (const { id, name, message } of actions.kill) this.#stop(id, name, message);
    for (const start of actions.start) await this.#startContainer(start);
    for (const name of actions.backedOff) this.#tellBackOff(name);
    if (actions.start.length > 0) {
      this.#again = true;
      return deadlineMs;
    }
    this.#tell(await this.#observe(), actions, false);
    return earlier(actions.wakeAtMs, deadlineMs);
  }

  /** Stops what runs; when nothing runs any more tells the end, and lets go of a pod that is being deleted. */
  async #terminate(): Promise<undefined> {
    const observed = await this.#observe();
    const actions = this.#decide(observed);
    const running = observed.containers.filter(({ state }) => state === "CONTAINER_RUNNING");
    for (const { id, metadata } of running) this.#stop(id, metadata.name, `Stopping container ${metadata.name}`);
    if (running.length > 0) {
      this.#tell(observed, actions, false, true);
      return;
    }
    const deleted = this.#pod.metadata.deletionTimestamp !== undefined;
    this.#tell(observed, actions, deleted, true);
    if (this.#sandboxId !== undefined) await this.#modules.runtime.stopPodSandbox(this.#sandboxId);
  }

  #deadlineMs(): number | undefined {
    const seconds = this.#pod.spec.activeDeadlineSeconds;
    return seconds === undefined ? undefined : this.#startTimeMs + seconds * 1000;
  }

  #failDeadline(): void {
    if (this.#failure !== undefined) return;
    const message = "Pod was active on the node longer than the specified deadline";
    this.#failure = { reason: "DeadlineExceeded", message };
    this.#modules.recorder.event(this.#reference(), "Normal", "DeadlineExceeded", message);
  }

  async #observe(): Promise<ObservedPod> {
    const { runtime } = this.#modules;
    if (this.#sandboxId === undefined) return { sandbox: undefined, containers: [] };
    const sandbox = await runtime.podSandboxStatus(this.#sandboxId);
    return { sandbox, containers: await runtime.listContainers({ sandboxId: this.#sandboxId }) };
  }

  #decide(observed: ObservedPod): PodActions {
    return computePodActions({
      pod: this.#pod,
      observed,
      nowMs: this.#modules.clock.now(),
      allowedAtMs: (name, finishedAtMs) => this.#backOff.allowedAtMs(name, finishedAtMs),
      attemptsBefore: (name) => this.#attemptsBefore(name),
    });
  }

  /** A node that starts anew goes on counting where the API says it was. */
  #attemptsBefore(name: string): number {
    const { containerStatuses = [], initContainerStatuses = [] } = this.#pod.status ?? {};
    const known = [...containerStatuses, ...initContainerStatuses].find((status) => status.name === name);
    return known?.containerID === undefined ? 0 : known.restartCount + 1;
  }

  async #createSandbox(): Promise<void> {
    const { name = "", namespace = "", uid = "", labels = {}, annotations = {} } = this.#pod.metadata;
    this.#sandboxId = await this.#modules.runtime.runPodSandbox({
      metadata: { name, namespace, uid, attempt: this.#sandboxes++ },
      hostname: this.#pod.spec.hostname ?? name,
      labels,
      annotations,
      hostNetwork: this.#pod.spec.hostNetwork ?? false,
    });
  }

  async #startContainer({ container, isInit, attempt }: ContainerStart): Promise<void> {
    const { runtime, clock } = this.#modules;
    if (this.#sandboxId === undefined) return;
    const completes = isSidecar(container) ? false : isInit || this.#pod.spec.restartPolicy !== "Always";
    const image = container.image ?? "";
    this.#event(
      container.name,
      "Pulled",
      `Container image "${image}" already present on machine and can be accessed by the pod`,
      isInit,
    );
    const id = await runtime.createContainer(this.#sandboxId, {
      metadata: { name: container.name, attempt },
      image,
      command: container.command ?? [],
      args: container.args ?? [],
      labels: completes ? { [COMPLETES_LABEL]: "true" } : {},
      annotations: {},
    });
    this.#event(container.name, "Created", "Container created", isInit);
    await runtime.startContainer(id);
    this.#event(container.name, "Started", "Container started", isInit);
    const observed = await this.#observe();
    const [, ...dead] = attemptsOf(observed, container.name);
    if (dead.length > 0) this.#backOff.next(container.name, clock.now());
    for (const old of dead.slice(DEAD_ATTEMPTS_KEPT)) await runtime.removeContainer(old.id);
  }

  /** Asks a container to end; the runtime tells when it has. */
  #stop(id: string, name: string, message: string): void {
    if (this.#stopping.has(id)) return;
    this.#stopping.add(id);
    const isInit = this.#pod.spec.initContainers?.some((container) => container.name === name) ?? false;
    this.#event(name, "Killing", message, isInit);
    const grace = this.#pod.metadata.deletionGracePeriodSeconds ?? this.#pod.spec.terminationGracePeriodSeconds ?? 30;
    // What fails here is tried again when the pod is looked at next.
    this.#modules.runtime.stopContainer(id, Math.max(1, grace)).then(
      () => this.wake(),
      () => this.#stopping.delete(id),
    );
  }

  #tell(observed: ObservedPod, actions: PodActions, final: boolean, ending = false): void {
    const { clock, hostIp, statusManager } = this.#modules;
    const pod = this.#pod;
    const alreadyEnded = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
    const status = podStatus({
      pod,
      observed,
      nowMs: clock.now(),
      backOffMs: (name) => (actions.backedOff.includes(name) ? this.#backOff.delayMs(name) : 0),
      ending: ending && observed.containers.every(hasEnded),
      hostIp,
      startTimeMs: this.#startTimeMs,
      previousConditions: this.#conditions.length > 0 ? this.#conditions : (pod.status?.conditions ?? []),
      failure: this.#failure,
    });
    this.#conditions = status.conditions ?? [];
    // A pod that had ended before this node knew it keeps the status it had.
    const told = alreadyEnded && observed.sandbox === undefined ? { phase: pod.status?.phase ?? "" } : status;
    const text = JSON.stringify(told);
    if (text === this.#told && !final) return;
    this.#told = text;
    statusManager.write(pod, told, final);
  }

  #tellBackOff(name: string): void {
    const { name: podName = "", namespace = "", uid = "" } = this.#pod.metadata;
    const message = `Back-off restarting failed container ${name} in pod ${podName}_${namespace}(${uid})`;
    this.#modules.recorder.event(this.#containerReference(name, false), "Warning", "BackOff", message);
  }

  #event(container: string, reason: string, message: string, isInit: boolean): void {
    this.#modules.recorder.event(this.#containerReference(container, isInit), "Normal", reason, message);
  }

  #reference(): ReturnType<typeof referenceTo> {
    return referenceTo("v1", "Pod", this.#pod);
  }

  #containerReference(name: string, isInit: boolean): ReturnType<typeof referenceTo> {
    return { ...this.#reference(), fieldPath: `spec.${isInit ? "initContainers" : "containers"}{${name}}` };
  }
}

function hasEnded({ state }: ContainerStatus): boolean {
  return state === "CONTAINER_EXITED";
}
