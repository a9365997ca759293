import type { Container, Pod } from "#api/generated/core/v1.ts";
import { formatTime, parseTime } from "#apimachinery/meta/time.ts";
import { isPodTerminal } from "#component-helpers/pod/pod-conditions.ts";
import { isRpcError, rpcText } from "#cri/cri-error.ts";
import { Attempts } from "./attempts.ts";
import { BackOff } from "./back-off.ts";
import type { ActionTarget } from "./handlers/handlers.ts";
import type { PodNow } from "./inside/pod-volumes.ts";
import { ContainerStopper } from "./kuberuntime/container-stopper.ts";
import { killPodText } from "./kuberuntime/kill-pod-text.ts";
import { PodObserver } from "./kuberuntime/pod-observer.ts";
import { SyncCounter } from "./metrics/sync-counter.ts";
import { containersOf, earlier, isRunning, type ObservedPod } from "./observed-pod.ts";
import { computePodActions, type PodActions } from "./pod-actions.ts";
import type { Rejection } from "./pod-admission.ts";
import { concernsNode } from "./pod-change.ts";
import { PodEnd } from "./pod-end.ts";
import { PodEvents } from "./pod-events.ts";
import { PodPlace } from "./pod-place.ts";
import { PodProbers } from "./pod-probers.ts";
import { PodStart } from "./pod-start.ts";
import { PodStatusTeller } from "./pod-status-teller.ts";
import { PodStop } from "./pod-stop.ts";
import { PodVolumeSync } from "./pod-volume-sync.ts";
import type { PodWorkerModules } from "./pod-worker-modules.ts";
import { PodResizer } from "./resize/pod-resizer.ts";
import { SyncLoop } from "./sync-loop.ts";

/** How often is tried to give a pod what it wants, in milliseconds. */
const RESIZE_RETRY_MS = 10_000;

/**
 * Brings one pod to what its spec says, and tells how far it has come. One at a time; what happens meanwhile makes it
 * look again. Does nothing before {@link PodWorker.resume} or {@link PodWorker.reject}.
 */
export class PodWorker {
  readonly #modules: PodWorkerModules;
  readonly #startTimeMs: number;
  readonly #backOff: BackOff;
  readonly #events: PodEvents;
  readonly #observer: PodObserver;
  readonly #start: PodStart;
  readonly #stop: PodStop;
  readonly #stopper: ContainerStopper;
  readonly #probers: PodProbers;
  readonly #resizer: PodResizer;
  readonly #volumes: PodVolumeSync;
  readonly #teller: PodStatusTeller;
  readonly #now: PodNow;
  readonly #loop: SyncLoop;
  readonly #syncs: SyncCounter;
  readonly #place: PodPlace;
  readonly #end: PodEnd;
  readonly #attempts = new Attempts();
  #pod: Pod;
  /** The containers are done: those that end now are not started again. */
  #finished = false;
  #rejected = false;

  constructor(pod: Pod, modules: PodWorkerModules) {
    const { handlers, clock, runtime } = modules;
    this.#pod = pod;
    this.#modules = modules;
    this.#backOff = new BackOff(modules.restartDelayMaxMs);
    this.#startTimeMs = parseTime(pod.status?.startTime) ?? clock.now();
    this.#end = new PodEnd(clock.elapsed() - Math.max(0, clock.now() - this.#startTimeMs));
    this.#place = new PodPlace(modules);
    this.#syncs = new SyncCounter(clock, modules.counts);
    this.#loop = new SyncLoop({
      clock,
      sync: () => this.#syncs.run(() => this.#sync()),
      onError: (error) => this.#failed(error),
      resyncMs: () => (this.#end.hasEnded ? undefined : modules.resyncMs),
    });
    this.#events = new PodEvents(modules.recorder);
    this.#now = () => ({ pod: this.#pod, addresses: this.#place.addresses });
    this.#observer = new PodObserver(pod.metadata.uid ?? "", modules);
    this.#volumes = new PodVolumeSync(modules, this.#events, this.#now);
    this.#teller = new PodStatusTeller(modules.statusManager, () => this.wake());
    const events = this.#events;
    const { cgroups, resizeRecord: record, resizeProblem: problemOf = () => undefined, onSyncError: onUnrecorded } = modules;
    this.#resizer = new PodResizer({
      runtime,
      cgroups,
      events,
      problemOf,
      ...(record && { record }),
      ...(onUnrecorded && { onUnrecorded }),
    });
    const target = (container: Container, id: string): ActionTarget => this.#target(container, id);
    const wake = (): void => this.wake();
    this.#stopper = new ContainerStopper({
      runtime,
      handlers,
      clock,
      events: this.#events,
      target,
      pod: () => this.#pod,
      onDone: wake,
    });
    this.#start = new PodStart({
      modules,
      events,
      now: this.#now,
      observe: () => this.#observe(),
      onSandbox: (id) => this.#observer.added(id),
      target,
      stopper: this.#stopper,
      resizer: this.#resizer,
      backOff: this.#backOff,
      attempts: this.#attempts,
      going: () => this.#end.going,
    });
    this.#stop = new PodStop(modules, this.#stopper, this.#end);
    this.#probers = new PodProbers({
      handlers,
      clock,
      target,
      onChange: wake,
      onProblem: (name, reason, message) => {
        if (!this.#loop.isPaused) this.#events.warning(this.#pod, name, reason, message);
      },
    });
  }

  get pod(): Pod {
    return this.#pod;
  }

  /** The pod with the status that was told last, which the API may not show yet. */
  get podWithStatus(): Pod {
    return this.#teller.applyTo(this.#pod);
  }

  /** The pod with what the node has given it, which may not be what it wants since. */
  get allocatedPod(): Pod {
    return this.#resizer.allocatedPod(this.#pod);
  }

  /** Whether it holds what it requests of the node. */
  get active(): boolean {
    return !this.#end.hasEnded && !this.#rejected && !isPodTerminal(this.#pod);
  }

  /** The node does not take the pod: it fails before anything of it starts. */
  reject({ reason, message }: Rejection): void {
    this.#rejected = true;
    this.#modules.counts?.rejected(reason);
    this.#events.pod(this.#pod, "Warning", reason, message);
    const { generation } = this.#pod.metadata;
    const status = {
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      phase: "Failed",
      reason,
      message: `Pod was rejected: ${message}`,
      startTime: formatTime(this.#startTimeMs),
    };
    this.#teller.tellOnly(this.#pod, status);
    this.#loop.resume();
  }

  /** The pod changed. */
  update(pod: Pod): void {
    const before = this.#pod;
    this.#volumes.changed(before, pod);
    this.#pod = pod;
    const isToBeTold = this.#teller.seen(pod);
    if (pod.metadata.deletionTimestamp !== undefined) this.#end.go();
    const isOther = concernsNode(before, pod);
    if (isOther) this.#syncs.changed();
    if (isOther || isToBeTold) this.wake();
  }

  /** Something happened: a container ended, a delay is over. */
  wake(): void {
    this.#loop.wake();
  }

  /** The node fails: nothing is done or told until {@link resume}. */
  pause(): void {
    this.#loop.pause();
  }

  resume(): void {
    this.#loop.resume();
  }

  /** Ends all timers, for a node that goes away. What runs goes on. */
  close(): void {
    this.pause();
    this.#loop.close();
    this.#end.go();
    this.#stopper.close();
    this.#probers.stop();
  }

  /** The pod is gone from where it came from: its containers are ended, and all that is left of it removed. */
  remove(): Promise<void> {
    const removed = this.#end.remove();
    this.#loop.resume();
    return removed;
  }

  /**
   * The node ends the pod, as when it has too little of something; its containers are given `graceSeconds`, or less when the
   * pod asks for less. Resolves when nothing of it runs any more.
   */
  fail(failure: Rejection, graceSeconds?: number): Promise<void> {
    const ended = this.#end.fail(failure, graceSeconds);
    this.wake();
    return ended;
  }

  /** A call that failed may have changed something all the same. */
  #failed(error: unknown): void {
    this.#observer.forget();
    if (isRpcError(error)) this.#tellFailure(error);
    this.#modules.onSyncError?.(this.#pod, error);
  }

  /** What the runtime did not do: a pod that runs misses nothing. */
  #tellFailure(error: unknown): void {
    const { clock } = this.#modules;
    const { metadata } = this.#pod;
    if (this.#isEnding) {
      const statuses = this.podWithStatus.status?.containerStatuses ?? [];
      const running = statuses.filter(({ state }) => state?.running !== undefined).map(({ name }) => name);
      this.#events.problem(this.#pod, clock.elapsed(), "FailedKillPod", killPodText(metadata.uid ?? "", running, error));
    } else if (this.#place.sandboxId === "") {
      const message = `Failed to create pod sandbox: ${rpcText(error)}`;
      this.#events.problem(this.#pod, clock.elapsed(), "FailedCreatePodSandBox", message);
    }
  }

  get #isEnding(): boolean {
    const isDeleted = this.#pod.metadata.deletionTimestamp !== undefined;
    return isDeleted || this.#end.isGone || this.#end.failure !== undefined || this.#finished || isPodTerminal(this.#pod);
  }

  async #sync(): Promise<number | undefined> {
    const pod = this.#pod;
    if (this.#end.isGone) return this.#terminate();
    if (this.#rejected) {
      if (pod.metadata.deletionTimestamp !== undefined) this.#modules.statusManager.write(pod, { phase: "Failed" }, true);
      return undefined;
    }
    const deadlineMs = this.#end.deadlineMs(pod);
    if (deadlineMs !== undefined && this.#modules.clock.elapsed() >= deadlineMs) this.#failDeadline();
    if (this.#isEnding) return this.#terminate();
    return earlier(await this.#advance(), deadlineMs);
  }

  /** One step towards what the spec says; gives when to look again. */
  async #advance(): Promise<number | undefined> {
    const pod = this.#pod;
    const observed = await this.#observe();
    this.#resizer.admit(pod, observed);
    const actions = this.#decide(observed);
    if (actions.finished) {
      this.#finished = true;
      return this.#terminate();
    }
    if (actions.createSandbox) return this.#createSandbox(observed, actions);
    if (actions.restartAll === true) {
      this.#tell(observed, actions, false);
      await this.#start.removeContainers(observed.containers);
      this.#loop.again();
      return undefined;
    }
    if (!(await this.#volumes.refresh(actions.start.length > 0))) {
      this.#tell(observed, actions, false);
      return this.#loop.retryAtMs();
    }
    const resized = await this.#resizer.sync(pod, observed);
    for (const kill of [...actions.kill, ...resized]) this.#stopper.stop(kill);
    let started = 0;
    for (const start of actions.start) started += Number(await this.#start.startContainer(start));
    for (const name of actions.backedOff) this.#events.backOff(pod, name);
    if (started > 0) {
      this.#loop.recovered();
      this.#loop.again();
      return undefined;
    }
    const isWaiting = actions.start.length > 0;
    const after = isWaiting ? await this.#observe() : observed;
    this.#tell(after, actions, false);
    const resizeAtMs = this.#resizer.isUnfinished ? this.#modules.clock.elapsed() + RESIZE_RETRY_MS : undefined;
    const wakeAtMs = earlier(actions.wakeAtMs, resizeAtMs);
    return isWaiting ? earlier(wakeAtMs, this.#start.retryAtMs(actions.start) ?? this.#loop.retryAtMs()) : wakeAtMs;
  }

  async #createSandbox(observed: ObservedPod, actions: PodActions): Promise<number | undefined> {
    this.#tell(observed, actions, false);
    if (!this.#start.hasNetwork() || !(await this.#volumes.setUp())) return this.#loop.retryAtMs();
    await this.#start.createSandbox(observed);
    this.#loop.again();
    return undefined;
  }

  /** Stops what runs; when nothing runs any more tells the end, and lets go of a pod that is being deleted. */
  async #terminate(): Promise<undefined> {
    const pod = this.#pod;
    const observed = await this.#observe();
    const actions = this.#decide(observed);
    if (this.#stop.stopContainers(pod, observed)) {
      this.#tell(observed, actions, false, true);
      return;
    }
    await this.#stop.release(pod, observed);
    this.#end.ended();
    this.#tell(observed, actions, this.#pod.metadata.deletionTimestamp !== undefined, true);
    if (!this.#end.isGone) return;
    await this.#stop.remove(this.#pod, observed);
    this.#loop.close();
    this.#probers.stop();
    this.#end.removed();
  }

  #failDeadline(): void {
    const failure = this.#end.passDeadline();
    if (failure !== undefined) this.#events.pod(this.#pod, "Normal", failure.reason, failure.message);
  }

  async #observe(): Promise<ObservedPod> {
    const observed = await this.#observer.observe();
    this.#place.seen(observed.sandbox);
    const isGoing = this.#pod.metadata.deletionTimestamp !== undefined || this.#end.isGone;
    this.#probers.keep(containersOf(this.#pod), observed, isGoing);
    const probed = this.#probers.findings();
    return probed === undefined ? observed : { ...observed, probed };
  }

  #target(container: Container, containerId: string): ActionTarget {
    return { pod: this.#pod, container, containerId, sandboxId: this.#place.sandboxId, ip: this.#place.address };
  }

  #decide(observed: ObservedPod): PodActions {
    return computePodActions({
      pod: this.#pod,
      observed,
      nowMs: this.#modules.clock.elapsed(),
      allowedAtMs: (name, finishedAtMs) => this.#backOff.allowedAtMs(name, finishedAtMs),
      attemptsBefore: (name) => this.#attempts.before(this.#pod, name),
    });
  }

  #tell(observed: ObservedPod, actions: PodActions, final: boolean, ending = false): void {
    const { clock, hostIps, runtimeName } = this.#modules;
    const situation = {
      pod: this.#pod,
      observed,
      nowMs: clock.now(),
      elapsedMs: clock.elapsed(),
      backOffMs: (name: string) => (actions.backedOff.includes(name) ? this.#backOff.delayMs(name) : 0),
      ending: ending && observed.containers.every((container) => !isRunning(container)),
      isGoing: ending,
      problems: this.#start.problems,
      hostIps,
      runtimeName,
      resourcesOf: (container: Container) => this.#resizer.resourcesOf(container),
      resizing: this.#resizer.conditions(),
      startTimeMs: this.#startTimeMs,
      failure: this.#end.failure,
    };
    this.#teller.tell(situation, final);
  }
}
