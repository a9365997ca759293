import type { Clock, Timer } from "#base/clock.ts";
import {
  type ContainerConfig,
  type ContainerEvent,
  type ContainerStatus,
  NotFoundError,
  type PodSandboxConfig,
  type PodSandboxStatus,
  type RuntimeService,
} from "../runtime-service.ts";
import { type Behaviour, behaviourOf } from "./behaviour.ts";

/** Options of {@link FakeRuntime}. */
export interface FakeRuntimeOptions {
  readonly clock: Clock;
  /** An address for a new sandbox; given back with `releaseIp`. */
  readonly allocateIp: () => string;
  readonly releaseIp: (ip: string) => void;
  /** Makes ids unique among runtimes. */
  readonly idPrefix: string;
}

interface Sandbox {
  status: PodSandboxStatus;
  readonly annotations: Readonly<Record<string, string>>;
  readonly containers: Set<string>;
}

interface Container {
  status: ContainerStatus;
  readonly behaviour: Behaviour;
  exitTimer: Timer | undefined;
  /** Told when the container has ended. */
  readonly waiting: (() => void)[];
}

/** Exit code of a container that ended because it was asked to (SIGTERM), and of one that was killed. */
const EXIT_TERMINATED = 143;
const EXIT_KILLED = 137;

/** A runtime without containers: it keeps their states, and lets time pass. */
export class FakeRuntime implements RuntimeService {
  readonly #options: FakeRuntimeOptions;
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #containers = new Map<string, Container>();
  readonly #listeners = new Set<(event: ContainerEvent) => void>();
  /** Of containers that take their time to end. */
  readonly #stopTimers = new Set<Timer>();
  #lastId = 0;

  constructor(options: FakeRuntimeOptions) {
    this.#options = options;
  }

  async version(): Promise<{ runtimeName: string; runtimeVersion: string }> {
    return { runtimeName: "fake", runtimeVersion: "1.0.0" };
  }

  async runPodSandbox(config: PodSandboxConfig): Promise<string> {
    const id = this.#newId();
    const status: PodSandboxStatus = {
      id,
      metadata: config.metadata,
      state: "SANDBOX_READY",
      createdAtMs: this.#options.clock.now(),
      ip: config.hostNetwork ? "" : this.#options.allocateIp(),
    };
    this.#sandboxes.set(id, { status, annotations: config.annotations, containers: new Set() });
    return id;
  }

  async stopPodSandbox(sandboxId: string): Promise<void> {
    const sandbox = this.#sandboxes.get(sandboxId);
    if (sandbox === undefined || sandbox.status.state === "SANDBOX_NOTREADY") return;
    for (const id of sandbox.containers) this.#exit(id, EXIT_KILLED);
    if (sandbox.status.ip !== "") this.#options.releaseIp(sandbox.status.ip);
    sandbox.status = { ...sandbox.status, state: "SANDBOX_NOTREADY" };
  }

  async removePodSandbox(sandboxId: string): Promise<void> {
    const sandbox = this.#sandboxes.get(sandboxId);
    if (sandbox === undefined) return;
    await this.stopPodSandbox(sandboxId);
    for (const id of [...sandbox.containers]) await this.removeContainer(id);
    this.#sandboxes.delete(sandboxId);
  }

  async podSandboxStatus(sandboxId: string): Promise<PodSandboxStatus> {
    return this.#sandbox(sandboxId).status;
  }

  async listPodSandbox(): Promise<readonly PodSandboxStatus[]> {
    return [...this.#sandboxes.values()].map((sandbox) => sandbox.status);
  }

  async createContainer(sandboxId: string, config: ContainerConfig): Promise<string> {
    const sandbox = this.#sandbox(sandboxId);
    const id = this.#newId();
    const { name } = config.metadata;
    const annotations = { ...sandbox.annotations, ...config.annotations };
    const status: ContainerStatus = {
      id,
      sandboxId,
      metadata: config.metadata,
      state: "CONTAINER_CREATED",
      image: config.image,
      imageRef: config.image,
      createdAtMs: this.#options.clock.now(),
      startedAtMs: undefined,
      finishedAtMs: undefined,
      exitCode: 0,
      reason: "",
      message: "",
    };
    const behaviour = behaviourOf({ ...config, name, annotations });
    this.#containers.set(id, { status, behaviour, exitTimer: undefined, waiting: [] });
    sandbox.containers.add(id);
    this.#tell(id, sandboxId, "CONTAINER_CREATED_EVENT");
    return id;
  }

  async startContainer(containerId: string): Promise<void> {
    const container = this.#container(containerId);
    if (container.status.state !== "CONTAINER_CREATED") throw new Error(`container ${containerId} was started before`);
    const { clock } = this.#options;
    container.status = { ...container.status, state: "CONTAINER_RUNNING", startedAtMs: clock.now() };
    const { runMs, exitCode } = container.behaviour;
    if (runMs !== undefined) container.exitTimer = clock.setTimeout(() => this.#exit(containerId, exitCode), runMs);
    this.#tell(containerId, container.status.sandboxId, "CONTAINER_STARTED_EVENT");
  }

  async stopContainer(containerId: string, timeoutSeconds: number): Promise<void> {
    const container = this.#containers.get(containerId);
    if (container === undefined || container.status.state === "CONTAINER_EXITED") return;
    const { stopMs } = container.behaviour;
    const timeoutMs = Math.max(0, timeoutSeconds) * 1000;
    if (timeoutMs === 0) this.#exit(containerId, EXIT_KILLED);
    else if (stopMs === 0) this.#exit(containerId, EXIT_TERMINATED);
    else {
      const inTime = stopMs <= timeoutMs;
      const ended = new Promise<void>((resolve) => container.waiting.push(resolve));
      const end = (): void => this.#exit(containerId, inTime ? EXIT_TERMINATED : EXIT_KILLED);
      const timer = this.#options.clock.setTimeout(end, Math.min(stopMs, timeoutMs));
      this.#stopTimers.add(timer);
      await ended;
      timer.clear();
      this.#stopTimers.delete(timer);
    }
  }

  async removeContainer(containerId: string): Promise<void> {
    const container = this.#containers.get(containerId);
    if (container === undefined) return;
    this.#exit(containerId, EXIT_KILLED);
    this.#containers.delete(containerId);
    const { sandboxId } = container.status;
    this.#sandboxes.get(sandboxId)?.containers.delete(containerId);
    this.#tell(containerId, sandboxId, "CONTAINER_DELETED_EVENT");
  }

  async containerStatus(containerId: string): Promise<ContainerStatus> {
    return this.#container(containerId).status;
  }

  async listContainers(filter: { readonly sandboxId?: string } = {}): Promise<readonly ContainerStatus[]> {
    if (filter.sandboxId === undefined) return [...this.#containers.values()].map((container) => container.status);
    const ids = this.#sandboxes.get(filter.sandboxId)?.containers ?? [];
    return [...ids].flatMap((id) => this.#containers.get(id)?.status ?? []);
  }

  getContainerEvents(listener: (event: ContainerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends all timers, for a node that goes away. */
  close(): void {
    for (const container of this.#containers.values()) container.exitTimer?.clear();
    for (const timer of this.#stopTimers) timer.clear();
    this.#listeners.clear();
  }

  #newId(): string {
    this.#lastId++;
    return `${this.#options.idPrefix}${this.#lastId.toString(16).padStart(16, "0")}`;
  }

  #sandbox(id: string): Sandbox {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined) throw new NotFoundError(`no sandbox ${id}`);
    return sandbox;
  }

  #container(id: string): Container {
    const container = this.#containers.get(id);
    if (container === undefined) throw new NotFoundError(`no container ${id}`);
    return container;
  }

  #exit(id: string, exitCode: number): void {
    const container = this.#containers.get(id);
    if (container === undefined || container.status.state === "CONTAINER_EXITED") return;
    container.exitTimer?.clear();
    container.status = {
      ...container.status,
      state: "CONTAINER_EXITED",
      finishedAtMs: this.#options.clock.now(),
      exitCode,
      reason: exitCode === 0 ? "Completed" : "Error",
    };
    for (const resolve of container.waiting.splice(0)) resolve();
    this.#tell(id, container.status.sandboxId, "CONTAINER_STOPPED_EVENT");
  }

  #tell(containerId: string, sandboxId: string, type: ContainerEvent["type"]): void {
    for (const listener of this.#listeners) listener({ containerId, sandboxId, type });
  }
}
