import type { Container, Pod, PodCondition, PodStatus } from "#api/generated/core/v1.ts";
import { formatTime, parseTime } from "#apimachinery/meta/time.ts";
import type { Clock, Timer } from "#base/clock.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import { isPodTerminal } from "#component-helpers/pod/pod-conditions.ts";
import type { ContainerStatus } from "#cri/container.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import { BackOff } from "./back-off.ts";
import { ContainerProber, needsProber } from "./handlers/container-prober.ts";
import type { ActionTarget, Handlers } from "./handlers/handlers.ts";
import { MissingReferenceError } from "./inside/missing-reference.ts";
import { PodInside, type Prepared } from "./inside/pod-inside.ts";
import type { InsideModules } from "./inside/pod-volumes.ts";
import { attemptsOf, earlier, isSidecar, type ObservedPod } from "./observed-pod.ts";
import { type ContainerStart, computePodActions, type PodActions } from "./pod-actions.ts";
import type { Rejection } from "./pod-admission.ts";
import { PodEvents } from "./pod-events.ts";
import { podStatus } from "./pod-status.ts";
import { containerConfig, hostnameOf, sandboxConfig } from "./sandbox-config.ts";
import type { StatusManager } from "./status-manager.ts";

/** What a pod worker uses of its node. */
export interface PodWorkerModules {
  readonly runtime: RuntimeService;
  readonly statusManager: StatusManager;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly hostIp: string;
  /** Carries out probes and hooks. */
  readonly handlers: Handlers;
  /** What containers find inside comes from here. */
  readonly inside: InsideModules;
}

/** Dead attempts of a container that are kept, for `lastState`. */
const DEAD_ATTEMPTS_KEPT = 1;
const SYNC_RETRY_MS = 1000;
/** What a container is given after its hook has used up its time, in seconds (upstream's `minimumGracePeriodInSeconds`). */
const GRACE_SECONDS_MIN = 2;
/** How often is told that something a pod refers to is not there, in milliseconds. */
const MISSING_EVENT_MS = 10_000;

/**
 * Brings one pod to what its spec says, and tells how far it has come. One at a time; what happens meanwhile makes it
 * look again. Does nothing before {@link PodWorker.resume} or {@link PodWorker.reject}.
 */
export class PodWorker {
  readonly #modules: PodWorkerModules;
  readonly #startTimeMs: number;
  readonly #backOff = new BackOff();
  readonly #events: PodEvents;
  /** Containers that were asked to end, with the seconds they were given. */
  readonly #stopping = new Map<string, number>();
  /** Of running containers with probes that are carried out; by id. */
  readonly #probers = new Map<string, ContainerProber>();
  /** Ends the waiting for hooks when the pod is to go. */
  readonly #going = new AbortController();
  /** Why containers cannot be made; by name. */
  readonly #configErrors = new Map<string, string>();
  /** When the events of what is missing were told last; by message. */
  readonly #missingToldAtMs = new Map<string, number>();
  readonly inside: PodInside;
  #pod: Pod;
  #sandboxId: string | undefined;
  #ip = "";
  #sandboxes = 0;
  #timer: Timer | undefined;
  #running = false;
  #again = false;
  #paused = true;
  #removed = false;
  /** The containers are done: those that end now are not started again. */
  #finished = false;
  #failure: Rejection | undefined;
  #rejected = false;
  /** Nothing of it runs any more. */
  #ended = false;
  #told = "";
  #status: PodStatus | undefined;
  #conditions: readonly PodCondition[] = [];

  constructor(pod: Pod, modules: PodWorkerModules) {
    this.#pod = pod;
    this.#modules = modules;
    this.#events = new PodEvents(modules.recorder);
    const now = () => ({ pod: this.#pod, addresses: { pod: this.#ip === "" ? modules.hostIp : this.#ip, host: modules.hostIp } });
    this.inside = new PodInside(now, hostnameOf(pod), modules.inside);
    this.#startTimeMs = parseTime(pod.status?.startTime) ?? modules.clock.now();
  }

  get pod(): Pod {
    return this.#pod;
  }

  /** The pod with the status that was told last, which the API may not show yet. */
  get podWithStatus(): Pod {
    return this.#status === undefined ? this.#pod : { ...this.#pod, status: { ...this.#pod.status, ...this.#status } };
  }

  /** Whether it holds what it requests of the node. */
  get active(): boolean {
    return !this.#ended && !this.#rejected && !isPodTerminal(this.#pod);
  }

  /** The node does not take the pod: it fails before anything of it starts. */
  reject({ reason, message }: Rejection): void {
    this.#rejected = true;
    this.#paused = false;
    this.#events.pod(this.#pod, "Warning", reason, message);
    const { generation } = this.#pod.metadata;
    const status = {
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      phase: "Failed",
      reason,
      message: `Pod was rejected: ${message}`,
      startTime: formatTime(this.#startTimeMs),
    };
    this.#modules.statusManager.write(this.#pod, status, false);
    this.wake();
  }

  /** The pod changed. */
  update(pod: Pod): void {
    this.#pod = pod;
    if (pod.metadata.deletionTimestamp !== undefined) this.#going.abort();
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

  /** Ends all timers, for a node that goes away. */
  close(): void {
    this.pause();
    this.#going.abort();
    for (const prober of this.#probers.values()) prober.stop();
  }

  /** The pod is gone from the API: its containers end at once. */
  async remove(): Promise<void> {
    this.#removed = true;
    this.#timer?.clear();
    this.#going.abort();
    for (const prober of this.#probers.values()) prober.stop();
    if (this.#sandboxId !== undefined) await this.#modules.runtime.removePodSandbox(this.#sandboxId);
    this.inside.volumes.release();
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
    if (this.#rejected) {
      if (pod.metadata.deletionTimestamp !== undefined) this.#modules.statusManager.write(pod, { phase: "Failed" }, true);
      return undefined;
    }
    const deadlineMs = this.#deadlineMs();
    if (deadlineMs !== undefined && this.#modules.clock.now() >= deadlineMs) this.#failDeadline();
    const ends = pod.metadata.deletionTimestamp !== undefined || this.#failure !== undefined || this.#finished;
    if (ends) return this.#terminate();
    if (isPodTerminal(pod)) return undefined;
    const actions = this.#decide(await this.#observe());
    if (actions.finished) {
      this.#finished = true;
      return this.#terminate();
    }
    if (actions.createSandbox) {
      const missing = await this.inside.volumes.missing();
      if (missing !== undefined) {
        const message = `MountVolume.SetUp failed for volume "${missing.volume}" : ${missing.message}`;
        this.#tellMissing(message, () => this.#events.pod(pod, "Warning", "FailedMount", message));
        this.#tell(await this.#observe(), actions, false);
        return earlier(this.#modules.clock.now() + SYNC_RETRY_MS, deadlineMs);
      }
      await this.#createSandbox();
      this.#again = true;
      return deadlineMs;
    }
    for (const { id, name, message, graceSeconds } of actions.kill) this.#stop(id, name, message, graceSeconds);
    let started = 0;
    for (const start of actions.start) started += Number(await this.#startContainer(start));
    for (const name of actions.backedOff) this.#events.backOff(pod, name);
    if (started > 0) {
      this.#again = true;
      return deadlineMs;
    }
    if (actions.start.length > 0) {
      this.#tell(await this.#observe(), actions, false);
      return earlier(this.#modules.clock.now() + SYNC_RETRY_MS, deadlineMs);
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
    this.#ended = true;
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
    this.#events.pod(this.#pod, "Normal", "DeadlineExceeded", message);
  }

  async #observe(): Promise<ObservedPod> {
    const { runtime } = this.#modules;
    if (this.#sandboxId === undefined) return { sandbox: undefined, containers: [] };
    const sandbox = await runtime.podSandboxStatus(this.#sandboxId);
    const containers = await runtime.containerStatuses({ sandboxId: this.#sandboxId });
    this.#keepProbing(containers);
    const probed = new Map([...this.#probers].map(([id, prober]) => [id, prober.findings]));
    return { sandbox, containers, probed };
  }

  /** Each running container that needs one has a prober, and no other. */
  #keepProbing(containers: readonly ContainerStatus[]): void {
    const { handlers, clock } = this.#modules;
    const isGoing = this.#pod.metadata.deletionTimestamp !== undefined;
    for (const { id, state, metadata, startedAtMs = clock.now() } of containers) {
      const known = this.#probers.get(id);
      if (state !== "CONTAINER_RUNNING" || isGoing) {
        known?.stop();
        if (state !== "CONTAINER_RUNNING") this.#probers.delete(id);
        continue;
      }
      const { spec } = this.#pod;
      const container = [...spec.containers, ...(spec.initContainers ?? [])].find(({ name }) => name === metadata.name);
      if (known !== undefined || container === undefined || !needsProber(container, handlers)) continue;
      const onUnhealthy = (message: string): void => {
        if (!this.#paused) this.#events.warning(this.#pod, metadata.name, "Unhealthy", message);
      };
      const modules = { handlers, clock, onUnhealthy, onChange: () => this.wake() };
      this.#probers.set(id, new ContainerProber(this.#target(container, id), startedAtMs, modules));
    }
  }

  #target(container: Container, containerId: string): ActionTarget {
    const ip = this.#ip === "" ? this.#modules.hostIp : this.#ip;
    return { pod: this.#pod, container, containerId, sandboxId: this.#sandboxId ?? "", ip };
  }

  /** A container whose hook fails is stopped. The others wait for it, unless the pod is to go. */
  async #postStart(container: Container, id: string): Promise<void> {
    const hook = container.lifecycle?.postStart;
    if (hook === undefined) return;
    const { signal } = this.#going;
    const gone = new Promise<undefined>((resolve) => {
      if (signal.aborted) resolve(undefined);
      else signal.addEventListener("abort", () => resolve(undefined), { once: true });
    });
    const result = await Promise.race([this.#modules.handlers.run(hook, this.#target(container, id), 0), gone]);
    if (result === undefined || result.succeeded) return;
    this.#events.warning(this.#pod, container.name, "FailedPostStartHook", "PostStartHook failed");
    this.#stop(id, container.name, "FailedPostStartHook");
  }

  /** Runs in the time that the container is given; gives what is left of that, in seconds. */
  async #preStop(id: string, name: string, graceSeconds: number): Promise<number> {
    const { spec } = this.#pod;
    const { clock, handlers } = this.#modules;
    const container = [...spec.containers, ...(spec.initContainers ?? [])].find((one) => one.name === name);
    const hook = container?.lifecycle?.preStop;
    if (container === undefined || hook === undefined) return graceSeconds;
    const beganMs = clock.now();
    const late = new AbortController();
    const result = await Promise.race([
      handlers.run(hook, this.#target(container, id), 0),
      clock.sleep(graceSeconds * 1000, late.signal).catch(() => undefined),
    ]);
    late.abort();
    if (result?.succeeded === false) this.#events.warning(this.#pod, name, "FailedPreStopHook", "PreStopHook failed");
    return Math.max(GRACE_SECONDS_MIN, graceSeconds - Math.floor((clock.now() - beganMs) / 1000));
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
    const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = this.#pod.status ?? {};
    const known = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses].find(
      (status) => status.name === name,
    );
    return known?.containerID === undefined ? 0 : known.restartCount + 1;
  }

  async #createSandbox(): Promise<void> {
    const { runtime } = this.#modules;
    this.#sandboxId = await runtime.runPodSandbox(sandboxConfig(this.#pod, this.#sandboxes++));
    this.#ip = (await runtime.podSandboxStatus(this.#sandboxId)).ip;
  }

  /** Not at each of the many times that it is looked for. */
  #tellMissing(message: string, tell: () => void): void {
    const nowMs = this.#modules.clock.now();
    const before = this.#missingToldAtMs.get(message);
    if (before !== undefined && nowMs - before < MISSING_EVENT_MS) return;
    this.#missingToldAtMs.set(message, nowMs);
    tell();
  }

  /** Undefined when something that it refers to is not there, which is told. */
  async #prepare(container: Container): Promise<Prepared | undefined> {
    try {
      const prepared = await this.inside.prepare(container);
      this.#configErrors.delete(container.name);
      return prepared;
    } catch (error) {
      if (!(error instanceof MissingReferenceError)) throw error;
      const { message } = error;
      this.#configErrors.set(container.name, message);
      this.#tellMissing(`${container.name} ${message}`, () =>
        this.#events.warning(this.#pod, container.name, "Failed", `Error: ${message}`),
      );
      return undefined;
    }
  }

  /** False when it cannot be made yet. */
  async #startContainer({ container, isInit, attempt }: ContainerStart): Promise<boolean> {
    const { runtime, clock } = this.#modules;
    if (this.#sandboxId === undefined) return true;
    const completes = isSidecar(container) ? false : isInit || this.#pod.spec.restartPolicy !== "Always";
    const image = container.image ?? "";
    const pulled = `Container image "${image}" already present on machine and can be accessed by the pod`;
    const wasTold = this.#configErrors.has(container.name);
    if (!wasTold) this.#events.container(this.#pod, container.name, "Pulled", pulled);
    const prepared = await this.#prepare(container);
    if (prepared === undefined) return false;
    const config = containerConfig(container, attempt, { completes, ...prepared });
    const id = await runtime.createContainer(this.#sandboxId, config, sandboxConfig(this.#pod, this.#sandboxes - 1));
    this.#events.container(this.#pod, container.name, "Created", "Container created");
    await runtime.startContainer(id);
    this.#events.container(this.#pod, container.name, "Started", "Container started");
    await this.#postStart(container, id);
    const observed = await this.#observe();
    const [, ...dead] = attemptsOf(observed, container.name);
    if (dead.length > 0) this.#backOff.next(container.name, clock.now());
    for (const old of dead.slice(DEAD_ATTEMPTS_KEPT)) await runtime.removeContainer(old.id);
    return true;
  }

  /** Asks a container to end; the runtime tells when it has. Asks again when the pod is given less time than before. */
  #stop(id: string, name: string, message: string, ownGraceSeconds?: number): void {
    const { deletionGracePeriodSeconds } = this.#pod.metadata;
    const ofPod = this.#pod.spec.terminationGracePeriodSeconds ?? 30;
    const graceSeconds = Math.max(1, deletionGracePeriodSeconds ?? ownGraceSeconds ?? ofPod);
    const before = this.#stopping.get(id);
    if (before !== undefined && before <= graceSeconds) return;
    this.#stopping.set(id, graceSeconds);
    if (before === undefined) this.#events.container(this.#pod, name, "Killing", message);
    // What fails here is tried again when the pod is looked at next.
    const { runtime } = this.#modules;
    const preparing = before === undefined ? this.#preStop(id, name, graceSeconds) : Promise.resolve(graceSeconds);
    preparing
      .then((left) => runtime.stopContainer(id, left))
      .then(
        () => this.wake(),
        () => this.#stopping.delete(id),
      );
  }

  #tell(observed: ObservedPod, actions: PodActions, final: boolean, ending = false): void {
    const { clock, hostIp, statusManager } = this.#modules;
    const pod = this.#pod;
    const status = podStatus({
      pod,
      observed,
      nowMs: clock.now(),
      backOffMs: (name) => (actions.backedOff.includes(name) ? this.#backOff.delayMs(name) : 0),
      ending: ending && observed.containers.every(hasEnded),
      configErrors: this.#configErrors,
      hostIp,
      startTimeMs: this.#startTimeMs,
      previousConditions: this.#conditions.length > 0 ? this.#conditions : (pod.status?.conditions ?? []),
      failure: this.#failure,
    });
    this.#conditions = status.conditions ?? [];
    this.#status = status;
    // A pod that had ended before this node knew it keeps the status it had.
    const told = isPodTerminal(pod) && observed.sandbox === undefined ? { phase: pod.status?.phase ?? "" } : status;
    const text = JSON.stringify(told);
    if (text === this.#told && !final) return;
    this.#told = text;
    statusManager.write(pod, told, final);
  }
}

function hasEnded({ state }: ContainerStatus): boolean {
  return state === "CONTAINER_EXITED";
}
