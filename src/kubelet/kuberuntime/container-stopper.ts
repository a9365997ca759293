import type { Container, Pod } from "#api/generated/core/v1.ts";
import type { Clock } from "#base/clock.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import type { ActionTarget, Handlers } from "../handlers/handlers.ts";
import { containersOf } from "../observed-pod.ts";
import type { PodEvents } from "../pod-events.ts";
import type { TerminationOrdering } from "./termination-ordering.ts";

/** What {@link ContainerStopper} uses of its pod and node. */
export interface ContainerStopperModules {
  readonly runtime: Pick<RuntimeService, "stopContainer">;
  readonly handlers: Handlers;
  readonly clock: Clock;
  readonly events: PodEvents;
  readonly pod: () => Pod;
  readonly target: (container: Container, containerId: string) => ActionTarget;
  /** A container has ended, or could not be ended. */
  readonly onDone: () => void;
}

/** A container to be ended. */
export interface ContainerStop {
  readonly id: string;
  readonly name: string;
  /** Of the event. */
  readonly message: string;
  /** Seconds that it is given, when not those of the pod. */
  readonly graceSeconds?: number;
  /** The most seconds that it is given, whatever the pod says. */
  readonly graceSecondsMax?: number;
  readonly ordering?: TerminationOrdering;
}

/** What a container is given after its hook or others have used up its time, in seconds (upstream's `minimumGracePeriodInSeconds`). */
const GRACE_SECONDS_MIN = 2;
const GRACE_SECONDS_DEFAULT = 30;

interface Stopping {
  graceSeconds: number;
  /** Ends waiting for hooks and others. */
  readonly hurry: AbortController;
}

/** Ends containers of one pod (upstream's `killContainer`): first their hook, then their turn, then their process. */
export class ContainerStopper {
  readonly #modules: ContainerStopperModules;
  readonly #stopping = new Map<string, Stopping>();

  constructor(modules: ContainerStopperModules) {
    this.#modules = modules;
  }

  /** Asks a container to end and does not wait. Asks again when it is given less time than before. */
  stop(stop: ContainerStop): void {
    const { id, name, message, ordering } = stop;
    const graceSeconds = this.#graceSeconds(stop);
    const before = this.#stopping.get(id);
    if (before !== undefined) {
      if (before.graceSeconds <= graceSeconds) return;
      before.graceSeconds = graceSeconds;
      before.hurry.abort();
      this.#end(id, name, Promise.resolve(graceSeconds), ordering);
      return;
    }
    const stopping: Stopping = { graceSeconds, hurry: new AbortController() };
    this.#stopping.set(id, stopping);
    this.#modules.events.container(this.#modules.pod(), name, "Killing", message);
    this.#end(id, name, this.#prepare(stop, stopping), ordering);
  }

  /** Ends the waiting of all, for a pod that goes. */
  close(): void {
    for (const { hurry } of this.#stopping.values()) hurry.abort();
  }

  #graceSeconds({ graceSeconds, graceSecondsMax = Number.POSITIVE_INFINITY }: ContainerStop): number {
    const { metadata, spec } = this.#modules.pod();
    const ofPod = spec.terminationGracePeriodSeconds ?? GRACE_SECONDS_DEFAULT;
    return Math.max(1, Math.min(graceSecondsMax, metadata.deletionGracePeriodSeconds ?? graceSeconds ?? ofPod));
  }

  /** What fails here is tried again when the pod is looked at next. */
  #end(id: string, name: string, prepared: Promise<number>, ordering: TerminationOrdering | undefined): void {
    const { runtime, onDone } = this.#modules;
    void prepared
      .then((left) => runtime.stopContainer(id, left))
      .then(
        () => ordering?.ended(name),
        () => this.#stopping.delete(id),
      )
      .then(onDone);
  }

  /** Runs the hook and waits for the container's turn, in the time that it is given; gives what is left of that. */
  async #prepare({ id, name, ordering }: ContainerStop, { graceSeconds, hurry }: Stopping): Promise<number> {
    const { clock } = this.#modules;
    const container = containersOf(this.#modules.pod()).find((one) => one.name === name);
    const hook = container?.lifecycle?.preStop;
    const hasTurn = ordering === undefined || ordering.isTurnOf(name);
    if ((container === undefined || hook === undefined) && hasTurn) return graceSeconds;
    const beganMs = clock.elapsed();
    const timer = clock.setTimeout(() => hurry.abort(), graceSeconds * 1000, { unref: true });
    if (container !== undefined && hook !== undefined) await this.#preStop(container, id, hurry.signal);
    await ordering?.turnOf(name, hurry.signal);
    timer.clear();
    return Math.max(GRACE_SECONDS_MIN, graceSeconds - Math.floor((clock.elapsed() - beganMs) / 1000));
  }

  async #preStop(container: Container, id: string, hurry: AbortSignal): Promise<void> {
    const { handlers, events, pod, target } = this.#modules;
    const hook = container.lifecycle?.preStop;
    if (hook === undefined) return;
    const result = await Promise.race([handlers.run(hook, target(container, id), 0), aborted(hurry)]);
    if (result?.succeeded === false) events.warning(pod(), container.name, "FailedPreStopHook", "PreStopHook failed");
  }
}

/** Resolves when the signal is aborted. Nothing is left of the wait once `done` is. */
export function aborted(signal: AbortSignal, done?: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else
      signal.addEventListener("abort", () => resolve(undefined), { once: true, ...(done === undefined ? {} : { signal: done }) });
  });
}
