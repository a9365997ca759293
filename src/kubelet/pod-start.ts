import type { Container, Pod } from "#api/generated/core/v1.ts";
import type { ContainerStatus } from "#cri/container.ts";
import { rpcText } from "#cri/cri-error.ts";
import type { Attempts } from "./attempts.ts";
import type { BackOff } from "./back-off.ts";
import type { ActionTarget } from "./handlers/handlers.ts";
import type { PodNow } from "./inside/pod-volumes.ts";
import { ContainerStarter, type StartProblem } from "./kuberuntime/container-starter.ts";
import { aborted, type ContainerStopper } from "./kuberuntime/container-stopper.ts";
import { PodSandboxes } from "./kuberuntime/pod-sandboxes.ts";
import { attemptsOf, isRunning, type ObservedPod } from "./observed-pod.ts";
import type { ContainerStart } from "./pod-actions.ts";
import type { PodEvents } from "./pod-events.ts";
import type { PodWorkerModules } from "./pod-worker-modules.ts";
import type { PodResizer } from "./resize/pod-resizer.ts";

/** Dead attempts of a container that are kept, for `lastState`. */
const DEAD_ATTEMPTS_KEPT = 1;

/** What {@link PodStart} uses of its pod. */
export interface PodStartParts {
  readonly modules: PodWorkerModules;
  readonly events: PodEvents;
  readonly now: PodNow;
  readonly observe: () => Promise<ObservedPod>;
  /** A sandbox was made. */
  readonly onSandbox: (id: string) => void;
  readonly target: (container: Container, containerId: string) => ActionTarget;
  readonly stopper: ContainerStopper;
  readonly resizer: PodResizer;
  readonly backOff: BackOff;
  readonly attempts: Attempts;
  /** The pod is to go: nobody waits for its hooks any more. */
  readonly going: () => AbortSignal;
}

/** Makes what a pod runs in, and starts its containers. */
export class PodStart {
  readonly #parts: PodStartParts;
  readonly #sandboxes: PodSandboxes;
  readonly #starter: ContainerStarter;

  constructor(parts: PodStartParts) {
    const { modules, events, now, resizer } = parts;
    this.#parts = parts;
    this.#sandboxes = new PodSandboxes(modules);
    this.#starter = new ContainerStarter(modules, events, () => {
      const { pod, ...place } = now();
      return { ...place, pod: resizer.allocatedPod(pod) };
    });
  }

  /** Why containers could not be started; by name. */
  get problems(): Map<string, StartProblem> {
    return this.#starter.problems;
  }

  /** When what could not be started is tried again, if that is known of all. */
  retryAtMs(starts: readonly ContainerStart[]): number | undefined {
    const times = starts.map(({ container }) => this.problems.get(container.name)?.retryAtMs);
    const known = times.filter((time) => time !== undefined);
    return known.length === times.length && known.length > 0 ? Math.min(...known) : undefined;
  }

  /** False when there is no network for it, which is told. */
  hasNetwork(): boolean {
    const { modules, events } = this.#parts;
    const pod = this.#pod;
    const problem = pod.spec.hostNetwork === true ? undefined : modules.sandboxes?.networkProblem();
    if (problem === undefined) return true;
    events.problem(pod, modules.clock.elapsed(), "NetworkNotReady", `network is not ready: ${problem}`);
    return false;
  }

  /** Makes a sandbox in the place of the one before, if there was one. */
  async createSandbox(observed: ObservedPod): Promise<void> {
    const { modules, events, resizer, onSandbox } = this.#parts;
    if (observed.sandbox !== undefined) await this.#leaveSandbox(observed);
    try {
      const attempt = observed.sandbox === undefined ? 0 : observed.sandbox.metadata.attempt + 1;
      onSandbox(await this.#sandboxes.create(resizer.allocatedPod(this.#pod), attempt));
    } catch (error) {
      const message = `Failed to create pod sandbox: ${rpcText(error)}`;
      events.problem(this.#pod, modules.clock.elapsed(), "FailedCreatePodSandBox", message);
      throw error;
    }
  }

  /** False when it cannot be started yet. */
  async startContainer(start: ContainerStart): Promise<boolean> {
    const { modules, observe, resizer, backOff } = this.#parts;
    const { name } = start.container;
    const before = await observe();
    if (before.sandbox === undefined) return true;
    const pod = this.#pod;
    const site = await this.#sandboxes.siteOf(resizer.allocatedPod(pod), before.sandbox.id, before.sandbox.metadata.attempt);
    await resizer.starting(pod, name);
    const id = await this.#starter.start(site, start);
    if (id === undefined) return false;
    await this.#postStart(start.container, id);
    const after = await observe();
    const [, ...dead] = attemptsOf(after, name);
    if (dead.length > 0) backOff.next(name, modules.clock.elapsed());
    await this.#prune(dead.slice(DEAD_ATTEMPTS_KEPT), after);
    return true;
  }

  /** All begin anew, and go on counting. */
  async removeContainers(containers: readonly ContainerStatus[]): Promise<void> {
    const { modules, attempts, backOff } = this.#parts;
    for (const status of containers) {
      attempts.removed(status);
      backOff.next(status.metadata.name, modules.clock.elapsed());
      await modules.runtime.removeContainer(status.id);
    }
  }

  get #pod(): Pod {
    return this.#parts.now().pod;
  }

  /** The sandbox has died: what of it still runs is ended, and init containers will run again. */
  async #leaveSandbox({ sandboxes = [], containers }: ObservedPod): Promise<void> {
    const { modules, events } = this.#parts;
    const { runtime } = modules;
    const { spec } = this.#pod;
    events.pod(this.#pod, "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
    const running = containers.filter(isRunning);
    await Promise.all(running.map(({ id }) => runtime.stopContainer(id, spec.terminationGracePeriodSeconds ?? 0)));
    for (const { id } of sandboxes) await runtime.stopPodSandbox(id);
    const inits = new Set(spec.initContainers?.map(({ name }) => name));
    await this.removeContainers(containers.filter(({ metadata }) => inits.has(metadata.name)));
  }

  /** Containers of which nobody asks any more, and sandboxes without containers that were replaced. */
  async #prune(containers: readonly ContainerStatus[], observed: ObservedPod): Promise<void> {
    const { modules, observe } = this.#parts;
    for (const { id } of containers) await modules.runtime.removeContainer(id);
    const { sandboxes = [], containers: left } = containers.length === 0 ? observed : await observe();
    for (const { id } of sandboxes.slice(1)) {
      if (!left.some(({ sandboxId }) => sandboxId === id)) await modules.runtime.removePodSandbox(id);
    }
  }

  /** A container whose hook fails is stopped. The others wait for it, unless the pod is to go. */
  async #postStart(container: Container, id: string): Promise<void> {
    const { modules, events, target, going, stopper } = this.#parts;
    const hook = container.lifecycle?.postStart;
    if (hook === undefined) return;
    const running = modules.handlers.run(hook, target(container, id), 0);
    const done = new AbortController();
    const result = await Promise.race([running, aborted(going(), done.signal)]);
    done.abort();
    if (result === undefined || result.succeeded) return;
    events.warning(this.#pod, container.name, "FailedPostStartHook", "PostStartHook failed");
    stopper.stop({ id, name: container.name, message: "FailedPostStartHook" });
  }
}
