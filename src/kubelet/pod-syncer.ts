import type { Container, Pod } from "#api/generated/core/v1.ts";
import { containersOf, earlier, isRunning, type ObservedPod } from "./observed-pod.ts";
import { computePodActions, type PodActions } from "./pod-actions.ts";
import type { PodWorkerModules } from "./pod-worker-modules.ts";
import type { PodWorkerParts } from "./pod-worker-parts.ts";
import type { SyncLoop } from "./sync-loop.ts";

/** How often is tried to give a pod what it wants, in milliseconds. */
const RESIZE_RETRY_MS = 10_000;

/**
 * One look at a pod and what it leads to, as upstream's `SyncPod`, `SyncTerminatingPod` and `SyncTerminatedPod`: what runs is observed, what
 * is to be done is decided from it and done, and how far the pod has come is told.
 */
export class PodSyncer {
  readonly #modules: PodWorkerModules;
  readonly #parts: PodWorkerParts;
  readonly #loop: SyncLoop;
  readonly #pod: () => Pod;
  #finished = false;

  /** `pod` gives it as it is now: it may change while something is waited for. */
  constructor(modules: PodWorkerModules, parts: PodWorkerParts, loop: SyncLoop, pod: () => Pod) {
    this.#modules = modules;
    this.#parts = parts;
    this.#loop = loop;
    this.#pod = pod;
  }

  /** The containers are done: those that end now are not started again. */
  get finished(): boolean {
    return this.#finished;
  }

  /** One step towards what the spec says; gives when to look again. */
  async advance(): Promise<number | undefined> {
    const { resizer, start, stopper, volumes, events } = this.#parts;
    const pod = this.#pod();
    const observed = await this.observe();
    resizer.admit(pod, observed);
    const actions = this.#decide(observed);
    if (actions.finished) {
      this.#finished = true;
      return this.terminate();
    }
    if (actions.createSandbox) return this.#createSandbox(observed, actions);
    if (actions.restartAll === true) {
      this.#tell(observed, actions, false);
      await start.removeContainers(observed.containers);
      this.#loop.again();
      return undefined;
    }
    if (!(await volumes.refresh(actions.start.length > 0))) {
      this.#tell(observed, actions, false);
      return this.#loop.retryAtMs();
    }
    const resized = await resizer.sync(pod, observed);
    for (const kill of [...actions.kill, ...resized]) stopper.stop(kill);
    let started = 0;
    for (const wanted of actions.start) started += Number(await start.startContainer(wanted));
    for (const name of actions.backedOff) events.backOff(pod, name);
    if (started > 0) {
      this.#loop.recovered();
      this.#loop.again();
      return undefined;
    }
    const isWaiting = actions.start.length > 0;
    const after = isWaiting ? await this.observe() : observed;
    this.#tell(after, actions, false);
    const resizeAtMs = resizer.isUnfinished ? this.#modules.clock.elapsed() + RESIZE_RETRY_MS : undefined;
    const wakeAtMs = earlier(actions.wakeAtMs, resizeAtMs);
    return isWaiting ? earlier(wakeAtMs, start.retryAtMs(actions.start) ?? this.#loop.retryAtMs()) : wakeAtMs;
  }

  async #createSandbox(observed: ObservedPod, actions: PodActions): Promise<number | undefined> {
    const { start, volumes } = this.#parts;
    this.#tell(observed, actions, false);
    if (!start.hasNetwork() || !(await volumes.setUp())) return this.#loop.retryAtMs();
    await start.createSandbox(observed);
    this.#loop.again();
    return undefined;
  }

  /** Stops what runs; when nothing runs any more tells the end, and lets go of a pod that is being deleted. */
  async terminate(): Promise<undefined> {
    const { stop, end, probers } = this.#parts;
    const pod = this.#pod();
    const observed = await this.observe();
    const actions = this.#decide(observed);
    if (stop.stopContainers(pod, observed)) {
      this.#tell(observed, actions, false, true);
      return;
    }
    await stop.release(pod, observed);
    end.ended();
    this.#tell(observed, actions, this.#pod().metadata.deletionTimestamp !== undefined, true);
    if (!end.isGone) return;
    await stop.remove(this.#pod(), observed);
    this.#loop.close();
    probers.stop();
    end.removed();
  }

  /** How the pod is now, with what its probes have found. */
  async observe(): Promise<ObservedPod> {
    const { observer, place, probers, end } = this.#parts;
    const observed = await observer.observe();
    place.seen(observed.sandbox);
    const isGoing = this.#pod().metadata.deletionTimestamp !== undefined || end.isGone;
    probers.keep(containersOf(this.#pod()), observed, isGoing);
    const probed = probers.findings();
    return probed === undefined ? observed : { ...observed, probed };
  }

  #decide(observed: ObservedPod): PodActions {
    const { backOff, attempts } = this.#parts;
    return computePodActions({
      pod: this.#pod(),
      observed,
      nowMs: this.#modules.clock.elapsed(),
      allowedAtMs: (name, finishedAtMs) => backOff.allowedAtMs(name, finishedAtMs),
      attemptsBefore: (name) => attempts.before(this.#pod(), name),
    });
  }

  #tell(observed: ObservedPod, actions: PodActions, final: boolean, ending = false): void {
    const { backOff, start, resizer, end, teller, startTimeMs } = this.#parts;
    const { clock, hostIps, runtimeName } = this.#modules;
    const situation = {
      pod: this.#pod(),
      observed,
      nowMs: clock.now(),
      elapsedMs: clock.elapsed(),
      backOffMs: (name: string) => (actions.backedOff.includes(name) ? backOff.delayMs(name) : 0),
      ending: ending && observed.containers.every((container) => !isRunning(container)),
      isGoing: ending,
      problems: start.problems,
      hostIps,
      runtimeName,
      resourcesOf: (container: Container) => resizer.resourcesOf(container),
      resizing: resizer.conditions(),
      startTimeMs,
      failure: end.failure,
    };
    teller.tell(situation, final);
  }
}
