import type { Container, Pod, PodCondition, ResourceRequirements } from "#api/generated/core/v1.ts";
import type { ContainerStatus } from "#cri/container.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import type { PodCgroups } from "../cm/container-manager.ts";
import { messageOf } from "../kuberuntime/message-of.ts";
import { isSidecar, latestAttempt, type ObservedPod } from "../observed-pod.ts";
import type { ContainerKill } from "../pod-actions.ts";
import type { PodEvents } from "../pod-events.ts";

/** Why a node cannot give a pod what it wants now. */
export interface ResizeProblem {
  /** Whether that may change. */
  readonly reason: "Deferred" | "Infeasible";
  readonly message: string;
}

/** What {@link PodResizer} uses of its node. */
export interface PodResizerModules {
  readonly runtime: Pick<RuntimeService, "updateContainerResources">;
  readonly cgroups: PodCgroups;
  readonly events: PodEvents;
  /** Undefined: the node gives it. */
  readonly problemOf: (pod: Pod) => ResizeProblem | undefined;
}

type Finding = Pick<PodCondition, "type" | "status" | "reason" | "message" | "observedGeneration">;

/** What counts as the same resources, whatever the order of their names. */
const RESIZABLE = ["cpu", "memory"] as const;

/**
 * Changes what the containers of one pod have while they run (upstream's allocation manager and `doPodResizeAction`): what the
 * spec wants is allocated when the node can give it, and then brought to the containers, or they start anew where their policy
 * says so.
 */
export class PodResizer {
  readonly #modules: PodResizerModules;
  /** What containers are given; by name. */
  readonly #allocated = new Map<string, ResourceRequirements>();
  /** What containers have; by id. */
  readonly #actuated = new Map<string, ResourceRequirements>();
  #generation: number | undefined;
  #allocatedGeneration: number | undefined;
  #pending: Finding | undefined;
  #error: string | undefined;
  #inProgress = false;
  #told = "";

  constructor(modules: PodResizerModules) {
    this.#modules = modules;
  }

  /** Something is still to be done, which is tried again from time to time. */
  get isUnfinished(): boolean {
    return this.#pending?.reason === "Deferred" || this.#inProgress;
  }

  /** The pod with the resources that it has been given, which may not be those that it wants. */
  allocatedPod(pod: Pod): Pod {
    if (this.#pending === undefined) return pod;
    const give = <T extends Container>(container: T): T => {
      const resources = this.#allocated.get(container.name);
      return resources === undefined ? container : { ...container, resources };
    };
    const { initContainers } = pod.spec;
    const inits = initContainers === undefined ? {} : { initContainers: initContainers.map(give) };
    return { ...pod, spec: { ...pod.spec, containers: pod.spec.containers.map(give), ...inits } };
  }

  /** What a container has been given, and what it has. */
  resourcesOf(
    container: Container,
    id: string,
  ): { readonly allocated: ResourceRequirements; readonly actual: ResourceRequirements } {
    const allocated = this.#allocated.get(container.name) ?? container.resources ?? {};
    return { allocated, actual: this.#actuated.get(id) ?? allocated };
  }

  /** What the pod's status says of a resize. */
  conditions(): readonly Finding[] {
    const generation = this.#allocatedGeneration === undefined ? {} : { observedGeneration: this.#allocatedGeneration };
    const error = this.#error === undefined ? {} : { reason: "Error", message: this.#error };
    const inProgress: Finding = { type: "PodResizeInProgress", status: "True", ...error, ...generation };
    return [...(this.#pending === undefined ? [] : [this.#pending]), ...(this.#inProgress ? [inProgress] : [])];
  }

  /** Allocates and applies what has changed; gives the containers that have to start anew for it. */
  async sync(pod: Pod, observed: ObservedPod): Promise<readonly ContainerKill[]> {
    const containers = resizable(pod);
    const { generation } = pod.metadata;
    const isNew = this.#generation !== generation;
    if (!isNew && this.#pending === undefined && !this.#inProgress) return [];
    this.#generation = generation;
    this.#adopt(containers, observed, pod);
    this.#allocate(pod, containers);
    return this.#apply(pod, containers, observed);
  }

  /** What is seen for the first time is as the spec says, or as an earlier run told. */
  #adopt(containers: readonly Container[], observed: ObservedPod, { status }: Pod): void {
    const told = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
    for (const container of containers) {
      const id = latestAttempt(observed, container.name)?.id;
      const known = told.find(
        ({ name, containerID }) => name === container.name && id !== undefined && containerID?.endsWith(id),
      );
      const { limits, requests } = known?.resources ?? {};
      const before =
        known?.resources === undefined
          ? undefined
          : { ...container.resources, ...(limits && { limits }), ...(requests && { requests }) };
      const resources = before ?? container.resources ?? {};
      if (!this.#allocated.has(container.name)) this.#allocated.set(container.name, resources);
      if (id !== undefined && !this.#actuated.has(id)) this.#actuated.set(id, this.#allocated.get(container.name) ?? resources);
    }
  }

  #allocate(pod: Pod, containers: readonly Container[]): void {
    const { generation } = pod.metadata;
    const observedGeneration = generation === undefined ? {} : { observedGeneration: generation };
    const changed = containers.filter(({ name, resources }) => !isSame(this.#allocated.get(name), resources));
    this.#pending = undefined;
    if (changed.length > 0) {
      const problem = this.#modules.problemOf(pod);
      if (problem !== undefined) {
        this.#pending = { type: "PodResizePending", status: "True", ...problem, ...observedGeneration };
        this.#tell(pod, containers, "Warning", `Resize${problem.reason}`, `Pod resize ${problem.reason}`, problem.message);
        return;
      }
      for (const { name, resources = {} } of changed) this.#allocated.set(name, resources);
    }
    this.#allocatedGeneration = generation;
  }

  async #apply(pod: Pod, containers: readonly Container[], observed: ObservedPod): Promise<readonly ContainerKill[]> {
    const kills: ContainerKill[] = [];
    const given = this.allocatedPod(pod);
    const running = containers.flatMap((container) => {
      const status = latestAttempt(observed, container.name);
      return status?.state === "CONTAINER_RUNNING" ? [{ container, status }] : [];
    });
    const waiting = running.filter(
      ({ container, status }) => !isSame(this.#actuated.get(status.id), this.#allocated.get(container.name)),
    );
    const wasInProgress = this.#inProgress;
    this.#inProgress = waiting.length > 0;
    this.#error = undefined;
    if (this.#inProgress && !wasInProgress) this.#tell(pod, containers, "Normal", "ResizeStarted", "Pod resize started");
    // A pod has room before its containers get more, and gives it up after they have.
    if (this.#inProgress) await this.#modules.cgroups.ensurePodCgroup(given).catch(() => undefined);
    for (const { container, status } of waiting) {
      if (this.#mustRestart(container, status)) {
        kills.push({ id: status.id, name: container.name, message: `Container ${container.name} resize requires restart` });
      } else await this.#update(given, container, status);
    }
    if (this.#inProgress) await this.#modules.cgroups.ensurePodCgroup(given).catch(this.#failed);
    if (this.#error !== undefined) this.#tell(pod, containers, "Warning", "ResizeError", "Pod resize error", this.#error);
    else if (kills.length === 0 && this.#inProgress) this.#complete(pod, containers);
    else if (wasInProgress && !this.#inProgress) this.#complete(pod, containers);
    return kills;
  }

  readonly #failed = (error: unknown): void => {
    this.#error = messageOf(error);
  };

  #complete(pod: Pod, containers: readonly Container[]): void {
    this.#inProgress = false;
    this.#tell(pod, containers, "Normal", "ResizeCompleted", "Pod resize completed");
  }

  #mustRestart({ name, resizePolicy = [] }: Container, { id }: ContainerStatus): boolean {
    const [before, after] = [this.#actuated.get(id), this.#allocated.get(name)];
    return resizePolicy.some(
      ({ resourceName, restartPolicy }) =>
        restartPolicy === "RestartContainer" && amountsOf(before, resourceName) !== amountsOf(after, resourceName),
    );
  }

  async #update(pod: Pod, container: Container, { id }: ContainerStatus): Promise<void> {
    const { runtime, cgroups } = this.#modules;
    const resources = this.#allocated.get(container.name) ?? {};
    try {
      const wanted = cgroups.containerResources(pod, { ...container, resources });
      if (wanted !== undefined) await runtime.updateContainerResources(id, wanted);
      this.#actuated.set(id, resources);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Once for each outcome. */
  #tell(
    pod: Pod,
    containers: readonly Container[],
    type: "Normal" | "Warning",
    reason: string,
    words: string,
    error?: string,
  ): void {
    const list = containers.map(({ name }) => ({ name, resources: this.#allocated.get(name) ?? {} }));
    const wanted = reason === "ResizeDeferred" || reason === "ResizeInfeasible";
    const shown = wanted ? containers.map(({ name, resources = {} }) => ({ name, resources })) : list;
    const { generation } = pod.metadata;
    const message = `${words}: ${JSON.stringify({ containers: shown, generation, ...(error === undefined ? {} : { error }) })}`;
    if (this.#told === message) return;
    this.#told = message;
    this.#modules.events.pod(pod, type, reason, message);
  }
}

function resizable({ spec }: Pod): readonly Container[] {
  return [...(spec.initContainers ?? []).filter(isSidecar), ...spec.containers];
}

function isSame(a: ResourceRequirements | undefined, b: ResourceRequirements | undefined): boolean {
  return RESIZABLE.every((name) => amountsOf(a, name) === amountsOf(b, name));
}

function amountsOf({ requests, limits }: ResourceRequirements = {}, name: string): string {
  return `${requests?.[name] ?? ""} ${limits?.[name] ?? ""}`;
}
