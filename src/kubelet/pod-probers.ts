import type { Container } from "#api/generated/core/v1.ts";
import type { Clock } from "#base/clock.ts";
import { ContainerProber, type ContainerProberModules, needsProber, type ProbeFindings } from "./handlers/container-prober.ts";
import type { ActionTarget, Handlers } from "./handlers/handlers.ts";
import { type ObservedPod, timesOf } from "./observed-pod.ts";

/** What {@link PodProbers} use of their pod and node. */
export interface PodProbersModules {
  readonly handlers: Handlers;
  readonly clock: Clock;
  readonly target: (container: Container, containerId: string) => ActionTarget;
  /** What a probe of a container has come to is an event. */
  readonly onProblem: (container: string, ...event: Parameters<ContainerProberModules["onProblem"]>) => void;
  /** Findings changed. */
  readonly onChange: () => void;
}

/** The probers of one pod: each running container that needs one has one, and no other. */
export class PodProbers {
  readonly #modules: PodProbersModules;
  readonly #probers = new Map<string, ContainerProber>();

  constructor(modules: PodProbersModules) {
    this.#modules = modules;
  }

  /** Begins and ends probing; in a pod that `isGoing` only readiness is looked at. */
  keep(containers: readonly Container[], observed: ObservedPod, isGoing: boolean): void {
    const { handlers, clock, target, onProblem, onChange } = this.#modules;
    for (const status of observed.containers) {
      const { id, state, metadata } = status;
      if (state !== "CONTAINER_RUNNING") continue;
      const known = this.#probers.get(id);
      if (isGoing) known?.stopLiveness();
      const container = containers.find(({ name }) => name === metadata.name);
      if (isGoing || known !== undefined || container === undefined || !needsProber(container, handlers)) continue;
      const { startedAtMs = clock.elapsed() } = timesOf(observed, status);
      const modules: ContainerProberModules = { handlers, clock, onChange, onProblem: onProblem.bind(undefined, metadata.name) };
      this.#probers.set(id, new ContainerProber(target(container, id), startedAtMs, modules));
    }
    if (this.#probers.size === 0) return;
    const running = observed.containers.filter(({ state }) => state === "CONTAINER_RUNNING").map(({ id }) => id);
    for (const [id, prober] of this.#probers) {
      if (running.includes(id)) continue;
      prober.stop();
      this.#probers.delete(id);
    }
  }

  /** What has been found out of each running container that is probed; by id. */
  findings(): ReadonlyMap<string, ProbeFindings> | undefined {
    if (this.#probers.size === 0) return undefined;
    return new Map([...this.#probers].map(([id, prober]) => [id, prober.findings]));
  }

  stop(): void {
    for (const prober of this.#probers.values()) prober.stop();
  }
}
