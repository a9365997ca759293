import type { Container, Pod, PodCondition, ResourceRequirements } from "#api/generated/core/v1.ts";
import type { ContainerStatus } from "#cri/container.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import type { PodResourcesRecord } from "../allocation/pod-resources-file.ts";
import type { PodCgroups } from "../cm/container-manager.ts";
import { messageOf } from "../kuberuntime/message-of.ts";
import { latestAttempt, type ObservedPod } from "../observed-pod.ts";
import type { ContainerKill } from "../pod-actions.ts";
import type { PodEvents } from "../pod-events.ts";
import { amountsOf, isSame, resizable, toldResources, withResources } from "./resources.ts";

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
  /** Undefined: the node gives it. `later`: not all pods are known that it has given something to. */
  readonly problemOf: (pod: Pod) => ResizeProblem | "later" | undefined;
  /** Where it stands after a restart what was given; the API's word counts when absent. */
  readonly record?: PodResourcesRecord;
  /** Told what could not be recorded. */
  readonly onUnrecorded?: (pod: Pod, error: unknown) => void;
}

type Finding = Pick<PodCondition, "type" | "status" | "reason" | "message" | "observedGeneration">;

/**
 * Changes what the containers of one pod have while they run (upstream's allocation manager and `doPodResizeAction`): what the
 * spec wants is allocated when the node can give it, and then brought to the containers, or they start anew where their policy
 * says so.
 */
export class PodResizer {
  readonly #modules: PodResizerModules;
  /** What containers are given; by name. */
  readonly #allocated = new Map<string, ResourceRequirements>();
  /** What the newest attempts of containers have; by name. */
  readonly #actuated = new Map<string, ResourceRequirements>();
  #isAdmitted = false;
  #generation: number | undefined;
  #allocatedGeneration: number | undefined;
  #pending: Finding | undefined;
  #error: string | undefined;
  #inProgress = false;
  /** What the spec wants was neither given nor refused. */
  #isUndecided = false;
  #told = "";
  #given: { readonly pod: Pod; readonly allocated: Pod } | undefined;

  constructor(modules: PodResizerModules) {
    this.#modules = modules;
  }

  /** Something is still to be done, which is tried again from time to time. */
  get isUnfinished(): boolean {
    return this.#pending?.reason === "Deferred" || this.#inProgress || this.#isUndecided;
  }

  /** The pod with the resources that it has been given, which may not be those that it wants. */
  allocatedPod(pod: Pod): Pod {
    if (this.#given?.pod === pod) return this.#given.allocated;
    const recorded = this.#modules.record?.allocated.get(pod.metadata.uid ?? "")?.containers;
    const allocated = this.#isAdmitted ? this.#allocated : (recorded ?? this.#allocated);
    this.#given = { pod, allocated: withResources(pod, allocated) };
    return this.#given.allocated;
  }

  /** What a container has been given, and what it has. */
  resourcesOf({ name, resources = {} }: Container): {
    readonly allocated: ResourceRequirements;
    readonly actual: ResourceRequirements;
  } {
    const allocated = this.#allocated.get(name) ?? resources;
    return { allocated, actual: this.#actuated.get(name) ?? allocated };
  }

  /** What the pod's status says of a resize. */
  conditions(): readonly Finding[] {
    const generation = this.#allocatedGeneration === undefined ? {} : { observedGeneration: this.#allocatedGeneration };
    const error = this.#error === undefined ? {} : { reason: "Error", message: this.#error };
    const inProgress: Finding = { type: "PodResizeInProgress", status: "True", ...error, ...generation };
    return [...(this.#pending === undefined ? [] : [this.#pending]), ...(this.#inProgress ? [inProgress] : [])];
  }

  /**
   * The pod is here: it has what an earlier run has recorded or told, or is given what its spec says. Only the first call counts;
   * it comes before anything else of the pod is decided.
   */
  admit(pod: Pod, observed: ObservedPod): void {
    if (this.#isAdmitted) return;
    this.#isAdmitted = true;
    this.#restoreConditions(pod);
    const uid = pod.metadata.uid ?? "";
    const { record } = this.#modules;
    const [allocated, actuated] = [record?.allocated.get(uid), record?.actuated.get(uid)];
    for (const container of resizable(pod)) {
      const { name, resources = {} } = container;
      const latest = latestAttempt(observed, name);
      const told = toldResources(pod, container, latest);
      const given = allocated?.containers.get(name) ?? told ?? resources;
      this.#allocated.set(name, given);
      const has = actuated?.containers.get(name) ?? told ?? (latest === undefined ? undefined : given);
      if (has !== undefined) this.#actuated.set(name, has);
    }
    this.#given = undefined;
    void this.#recordAllocated(pod).catch((error) => this.#modules.onUnrecorded?.(pod, error));
  }

  /** A container is about to start: it will have what it has been given. Resolves when that is recorded. */
  async starting(pod: Pod, name: string): Promise<void> {
    const allocated = this.#allocated.get(name);
    if (allocated === undefined) return;
    this.#actuated.set(name, allocated);
    await this.#recordActuated(pod);
  }

  /** Allocates and applies what has changed; gives the containers that have to start anew for it. */
  async sync(pod: Pod, observed: ObservedPod): Promise<readonly ContainerKill[]> {
    this.admit(pod, observed);
    const containers = resizable(pod);
    const { generation } = pod.metadata;
    const isNew = this.#generation !== generation;
    if (!isNew && this.#pending === undefined && !this.#inProgress && !this.#isUndecided) return [];
    this.#generation = generation;
    await this.#allocate(pod, containers);
    return this.#apply(pod, containers, observed);
  }

  #restoreConditions({ status }: Pod): void {
    const found = (kind: string): Finding | undefined => status?.conditions?.find(({ type }) => type === kind);
    const pending = found("PodResizePending");
    if (pending !== undefined) {
      const { type, status: value, reason, message, observedGeneration } = pending;
      const why = { ...(reason !== undefined && { reason }), ...(message !== undefined && { message }) };
      this.#pending = { type, status: value, ...why, ...(observedGeneration !== undefined && { observedGeneration }) };
    }
    const inProgress = found("PodResizeInProgress");
    this.#inProgress = inProgress !== undefined;
    this.#error = inProgress?.reason === "Error" ? inProgress.message : undefined;
    this.#allocatedGeneration = inProgress?.observedGeneration;
  }

  async #allocate(pod: Pod, containers: readonly Container[]): Promise<void> {
    const { generation } = pod.metadata;
    const changed = containers.filter(({ name, resources }) => !isSame(this.#allocated.get(name), resources));
    this.#isUndecided = false;
    if (changed.length > 0) {
      const problem = this.#modules.problemOf(pod);
      if (problem === "later") {
        this.#isUndecided = true;
        return;
      }
      if (problem !== undefined) return this.#refuse(pod, containers, problem);
      if (!(await this.#give(pod, changed))) return;
    }
    this.#pending = undefined;
    this.#allocatedGeneration = generation;
  }

  #refuse(pod: Pod, containers: readonly Container[], problem: ResizeProblem): void {
    const { generation } = pod.metadata;
    const before = this.#pending;
    const observedGeneration = generation === undefined ? {} : { observedGeneration: generation };
    this.#pending = { type: "PodResizePending", status: "True", ...problem, ...observedGeneration };
    const isKnown = before?.reason === problem.reason && before.message === problem.message;
    if (isKnown && before.observedGeneration === generation) return;
    this.#tell(pod, containers, "Warning", `Resize${problem.reason}`, `Pod resize ${problem.reason}`, problem.message);
  }

  /** Nothing is given that a restart would not know of. */
  async #give(pod: Pod, changed: readonly Container[]): Promise<boolean> {
    const before = changed.map(({ name }) => [name, this.#allocated.get(name) ?? {}] as const);
    const set = (name: string, resources: ResourceRequirements): void => void this.#allocated.set(name, resources);
    for (const { name, resources = {} } of changed) set(name, resources);
    this.#given = undefined;
    try {
      await this.#recordAllocated(pod);
      return true;
    } catch (error) {
      for (const [name, resources] of before) set(name, resources);
      this.#given = undefined;
      this.#isUndecided = true;
      this.#modules.onUnrecorded?.(pod, error);
      return false;
    }
  }

  async #recordAllocated({ metadata, spec }: Pod): Promise<void> {
    const resources = spec.resources === undefined ? {} : { pod: spec.resources };
    await this.#modules.record?.allocated.set(metadata.uid ?? "", { containers: new Map(this.#allocated), ...resources });
  }

  /** The container is more important than what a restart would know of it. */
  async #recordActuated(pod: Pod): Promise<void> {
    try {
      await this.#modules.record?.actuated.set(pod.metadata.uid ?? "", { containers: new Map(this.#actuated) });
    } catch (error) {
      this.#modules.onUnrecorded?.(pod, error);
    }
  }

  async #apply(pod: Pod, containers: readonly Container[], observed: ObservedPod): Promise<readonly ContainerKill[]> {
    const kills: ContainerKill[] = [];
    const given = this.allocatedPod(pod);
    const running = containers.flatMap((container) => {
      const status = latestAttempt(observed, container.name);
      return status?.state === "CONTAINER_RUNNING" ? [{ container, status }] : [];
    });
    const waiting = running.filter(
      ({ container }) => !isSame(this.#actuated.get(container.name), this.#allocated.get(container.name)),
    );
    const wasInProgress = this.#inProgress;
    this.#inProgress = waiting.length > 0;
    this.#error = undefined;
    if (this.#inProgress && !wasInProgress) this.#tell(pod, containers, "Normal", "ResizeStarted", "Pod resize started");
    // A pod has room before its containers get more, and gives it up after they have.
    if (this.#inProgress) await this.#modules.cgroups.ensurePodCgroup(given).catch(() => undefined);
    for (const { container, status } of waiting) {
      if (this.#mustRestart(container)) {
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

  #mustRestart({ name, resizePolicy = [] }: Container): boolean {
    const [before, after] = [this.#actuated.get(name), this.#allocated.get(name)];
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
      this.#actuated.set(container.name, resources);
      await this.#recordActuated(pod);
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
