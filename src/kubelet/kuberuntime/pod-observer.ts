import type { Clock } from "#base/clock.ts";
import type { ContainerStatus } from "#cri/container.ts";
import { NotFoundError } from "#cri/cri-error.ts";
import type { PodSandboxStatus } from "#cri/pod-sandbox.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import { ContainerTimeline } from "../container-times.ts";
import type { ObservedPod } from "../observed-pod.ts";
import { POD_UID_LABEL } from "./labels.ts";

const NO_MESSAGES: ReadonlyMap<string, string> = new Map();

/** What {@link PodObserver} uses of its node. */
export interface PodObserverModules {
  readonly runtime: RuntimeService;
  readonly clock: Clock;
  /** A container's last word, where the runtime does not tell it itself. */
  readonly terminationMessage?: (status: ContainerStatus) => Promise<string>;
}

/**
 * Looks at what the runtime has of one pod. It looks for sandboxes when it is first asked, and finds those of an earlier run;
 * then only at those it knows, which it is told of.
 */
export class PodObserver {
  readonly #podUid: string;
  readonly #modules: PodObserverModules;
  readonly #timeline: ContainerTimeline;
  /** Newest first; undefined when they have to be looked for. */
  #sandboxIds: readonly string[] | undefined;
  /** The last words of containers that have ended: they do not change; by id. */
  #messages: ReadonlyMap<string, string> = NO_MESSAGES;

  constructor(podUid: string, modules: PodObserverModules) {
    this.#podUid = podUid;
    this.#modules = modules;
    this.#timeline = new ContainerTimeline(modules.clock);
  }

  /** A sandbox was made. */
  added(sandboxId: string): void {
    this.#sandboxIds = [sandboxId, ...(this.#sandboxIds ?? [])];
  }

  /** A call failed that may have changed something all the same: what there is has to be looked for. */
  forget(): void {
    this.#sandboxIds = undefined;
  }

  async observe(): Promise<ObservedPod> {
    const { runtime } = this.#modules;
    this.#sandboxIds ??= await this.#find();
    if (this.#sandboxIds.length === 0) return { sandbox: undefined, sandboxes: [], containers: [] };
    const sandboxes: PodSandboxStatus[] = [];
    const containers: ContainerStatus[] = [];
    for (const sandboxId of this.#sandboxIds) {
      const sandbox = await runtime.podSandboxStatus(sandboxId).catch(undefinedIfGone);
      if (sandbox === undefined) continue;
      sandboxes.push(sandbox);
      containers.push(...(await runtime.containerStatuses({ sandboxId })));
    }
    if (sandboxes.length < this.#sandboxIds.length) this.#sandboxIds = sandboxes.map(({ id }) => id);
    const times = this.#timeline.of(containers);
    const { terminationMessage } = this.#modules;
    const isTold = terminationMessage === undefined || !containers.some(hasEnded);
    const told = isTold ? containers : await this.#withMessages(containers, terminationMessage);
    return { sandbox: sandboxes[0], sandboxes, containers: told, times };
  }

  async #find(): Promise<readonly string[]> {
    const found = await this.#modules.runtime.listPodSandbox({ labelSelector: { [POD_UID_LABEL]: this.#podUid } });
    // Attempts are counted; the time at which one was made may be wrong.
    return [...found]
      .sort((a, b) => b.metadata.attempt - a.metadata.attempt || b.createdAtMs - a.createdAtMs)
      .map(({ id }) => id);
  }

  async #withMessages(
    containers: readonly ContainerStatus[],
    terminationMessage: (status: ContainerStatus) => Promise<string>,
  ): Promise<readonly ContainerStatus[]> {
    const messages = new Map<string, string>();
    for (const status of containers.filter(hasEnded)) {
      const known = this.#messages.get(status.id) ?? (await terminationMessage(status));
      messages.set(status.id, known === "" ? status.message : known);
    }
    this.#messages = messages;
    return containers.map((status) => ({ ...status, message: messages.get(status.id) ?? status.message }));
  }
}

function hasEnded({ state }: ContainerStatus): boolean {
  return state === "CONTAINER_EXITED";
}

function undefinedIfGone(error: unknown): undefined {
  if (error instanceof NotFoundError) return undefined;
  throw error;
}
