import type { Duplex } from "node:stream";
import type { Clock, Timer } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { ContainerConfig, ContainerFilter, ContainerStatus } from "../container.ts";
import { NotFoundError, UnimplementedError } from "../cri-error.ts";
import type { LinuxContainerResources } from "../linux-config.ts";
import type { LogFiles } from "../log-files.ts";
import { hasHostNetwork, type PodSandboxConfig, type PodSandboxFilter, type PodSandboxStatus } from "../pod-sandbox.ts";
import type {
  AttachRequest,
  ContainerEvent,
  ExecRequest,
  ExecSyncResult,
  PortForwardRequest,
  RuntimeService,
} from "../runtime-service.ts";
import type { CgroupDriver, RuntimeStatus, RuntimeVersion } from "../runtime-status.ts";
import type { ContainerStats, PodSandboxStats, StatsFilter } from "../stats.ts";
import { Allowance, CONTAINER_LIMITS, NODE_LIMITS } from "./allowance.ts";
import { behaviourOf } from "./behaviour.ts";
import type { ContainerInside } from "./container-inside.ts";
import { ContainerProcess } from "./container-process.ts";
import { execSync } from "./exec-sync.ts";
import { fakeContainerStats, fakeSandboxStats } from "./fake-stats.ts";
import { FakeStreaming } from "./fake-streaming.ts";
import { fitsContainer, fitsSandbox } from "./filters.ts";
import type { SimulationHooks } from "./hooks.ts";
import type { MemoryLog } from "./memory-log.ts";
import { connectTo, type HostPort, sandboxByHostPort, sandboxByIp } from "./pod-ports.ts";
import type { PodServer } from "./pod-server.ts";
import { createdStatus, type SimulatedContainer } from "./simulated-container.ts";

/** Options of {@link FakeRuntime}. */
export interface FakeRuntimeOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Answers for the ports of all pods. */
  readonly podServer: PodServer;
  readonly hooks?: SimulationHooks;
  /** What a container of a pod finds inside; asked for once for each attempt. */
  readonly insideOf?: (podUid: string, container: string) => ContainerInside | undefined;
  /** What all its containers may hold; as nodes may by default when absent. */
  readonly allowance?: Allowance;
  /** Addresses for a new sandbox, one or one of each family; the first is given back with `releaseIp`. */
  readonly allocateIps: () => readonly string[];
  readonly releaseIp: (ip: string) => void;
  /** Makes ids unique among runtimes. */
  readonly idPrefix: string;
}

interface Sandbox {
  status: PodSandboxStatus;
  readonly config: PodSandboxConfig;
  readonly containers: Set<string>;
}

/** Exit code of a container that ended because it was asked to (SIGTERM), and of one that was killed. */
const EXIT_TERMINATED = 143;
const EXIT_KILLED = 137;
/** How long a container that ends waits for its command to end too, in milliseconds. */
const LAST_WORDS_MS = 20;

/**
 * A runtime without containers: it keeps their states, lets time pass, and simulates what is said and done in them.
 */
export class FakeRuntime implements RuntimeService {
  readonly #options: FakeRuntimeOptions;
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #containers = new Map<string, SimulatedContainer>();
  readonly #listeners = new Set<(event: ContainerEvent) => void>();
  /** Of containers that take their time to end. */
  readonly #stopTimers = new Set<Timer>();
  readonly #logs = new Map<string, MemoryLog>();
  /** The logs of its containers, by the path that their status tells. */
  readonly logFiles: LogFiles = {
    open: async (path) => {
      const log = this.#logs.get(path);
      if (log === undefined) throw Object.assign(new Error(`open ${path}: no such file or directory`), { code: "ENOENT" });
      return log;
    },
  };
  readonly #streaming: FakeStreaming;
  /** What all its containers may hold. */
  readonly allowance: Allowance;
  #lastId = 0;

  constructor(options: FakeRuntimeOptions) {
    this.#options = options;
    this.allowance = options.allowance ?? new Allowance(NODE_LIMITS);
    this.#streaming = new FakeStreaming({
      clock: options.clock,
      random: options.random,
      processOf: (containerId) => this.#running(containerId).process,
      connect: (sandboxId, port) => this.connect(sandboxId, port),
    });
  }

  async version(): Promise<RuntimeVersion> {
    return { runtimeName: "fake", runtimeVersion: "1.0.0", runtimeApiVersion: "v1" };
  }

  async status(): Promise<RuntimeStatus> {
    const conditions = ["RuntimeReady", "NetworkReady"].map((type) => ({ type, status: true, reason: "", message: "" }));
    return { conditions, handlers: [], supplementalGroupsPolicy: true, userNamespacesHostNetwork: false, info: {} };
  }

  async cgroupDriver(): Promise<CgroupDriver> {
    return "CGROUPFS";
  }

  /** Addresses come from elsewhere. */
  async updatePodCidr(): Promise<void> {}

  async runPodSandbox(config: PodSandboxConfig, runtimeHandler = ""): Promise<string> {
    const id = this.#newId();
    const [ip = "", ...additionalIps] = hasHostNetwork(config) ? [] : this.#options.allocateIps();
    const status: PodSandboxStatus = {
      id,
      metadata: config.metadata,
      state: "SANDBOX_READY",
      createdAtMs: this.#options.clock.now(),
      ip,
      additionalIps,
      labels: config.labels,
      annotations: config.annotations,
      runtimeHandler,
    };
    this.#sandboxes.set(id, { status, config, containers: new Set() });
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

  async listPodSandbox(filter: PodSandboxFilter = {}): Promise<readonly PodSandboxStatus[]> {
    return [...this.#sandboxes.values()].map((sandbox) => sandbox.status).filter((status) => fitsSandbox(status, filter));
  }

  async createContainer(sandboxId: string, config: ContainerConfig): Promise<string> {
    const sandbox = this.#sandbox(sandboxId);
    const id = this.#newId();
    const { name } = config.metadata;
    const { logDirectory = "" } = sandbox.config;
    const annotations = { ...sandbox.config.annotations, ...config.annotations };
    const status = createdStatus(id, sandboxId, config, { logDirectory, createdAtMs: this.#options.clock.now() });
    const behaviour = behaviourOf({ ...config, name, annotations });
    const allowance = new Allowance(CONTAINER_LIMITS, this.allowance);
    const process = this.#newProcess(id, sandbox, config, { annotations, allowance });
    if (status.logPath !== "") this.#logs.set(status.logPath, process.log);
    this.#containers.set(id, { status, behaviour, process, allowance, exitTimer: undefined, waiting: [] });
    sandbox.containers.add(id);
    this.#tell(id, sandboxId, "CONTAINER_CREATED_EVENT");
    return id;
  }

  async startContainer(containerId: string): Promise<void> {
    const container = this.#container(containerId);
    if (container.status.state !== "CONTAINER_CREATED") throw new Error(`container ${containerId} was started before`);
    const { clock } = this.#options;
    container.status = { ...container.status, state: "CONTAINER_RUNNING", startedAtMs: clock.now() };
    this.#tell(containerId, container.status.sandboxId, "CONTAINER_STARTED_EVENT");
    const endsItself = await container.process.start();
    if (container.status.state !== "CONTAINER_RUNNING") return;
    const { runMs, exitCode, isTold } = container.behaviour;
    if (runMs === undefined || (endsItself && !isTold)) return;
    const exit = (): void => this.#exit(containerId, exitCode);
    // What its command says at this very moment is still said.
    const hearOut = (): void => {
      container.exitTimer = clock.setTimeout(exit, LAST_WORDS_MS);
      container.process.onSilent(exit);
    };
    container.exitTimer = clock.setTimeout(container.process.speaks ? hearOut : exit, runMs);
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
    const { sandboxId, logPath } = container.status;
    this.#logs.delete(logPath);
    container.allowance.release();
    this.#sandboxes.get(sandboxId)?.containers.delete(containerId);
    this.#tell(containerId, sandboxId, "CONTAINER_DELETED_EVENT");
  }

  async containerStatus(containerId: string): Promise<ContainerStatus> {
    return this.#container(containerId).status;
  }

  async listContainers(filter: ContainerFilter = {}): Promise<readonly ContainerStatus[]> {
    return this.containerStatuses(filter);
  }

  async containerStatuses(filter: ContainerFilter = {}): Promise<readonly ContainerStatus[]> {
    const { sandboxId } = filter;
    const ids = sandboxId === undefined ? this.#containers.keys() : (this.#sandboxes.get(sandboxId)?.containers ?? []);
    const statuses: ContainerStatus[] = [];
    for (const id of ids) {
      const status = this.#containers.get(id)?.status;
      if (status !== undefined && fitsContainer(status, filter)) statuses.push(status);
    }
    return statuses;
  }

  /** There are no cgroups: the status tells what was asked for. */
  async updateContainerResources(containerId: string, resources: LinuxContainerResources): Promise<void> {
    const container = this.#container(containerId);
    const { state } = container.status;
    if (state !== "CONTAINER_CREATED" && state !== "CONTAINER_RUNNING") throw new Error(`container is in ${state} state`);
    container.status = { ...container.status, resources: { ...container.status.resources, ...resources } };
  }

  /** Nothing is made of it. */
  async updatePodSandboxResources(sandboxId: string): Promise<void> {
    this.#sandbox(sandboxId);
  }

  async containerStats(containerId: string): Promise<ContainerStats> {
    return fakeContainerStats(this.#container(containerId).status, this.#options.clock.now());
  }

  async listContainerStats(filter: StatsFilter & { readonly sandboxId?: string } = {}): Promise<readonly ContainerStats[]> {
    const running = await this.containerStatuses({ ...filter, state: "CONTAINER_RUNNING" });
    return running.map((status) => fakeContainerStats(status, this.#options.clock.now()));
  }

  async podSandboxStats(sandboxId: string): Promise<PodSandboxStats> {
    const { status } = this.#sandbox(sandboxId);
    return fakeSandboxStats(status, await this.listContainerStats({ sandboxId }), this.#options.clock.now());
  }

  async listPodSandboxStats(filter: StatsFilter = {}): Promise<readonly PodSandboxStats[]> {
    const ready = await this.listPodSandbox({ ...filter, state: "SANDBOX_READY" });
    return Promise.all(ready.map(({ id }) => this.podSandboxStats(id)));
  }

  async checkpointContainer(): Promise<void> {
    throw new UnimplementedError("there is no state of a simulated container that could be written");
  }

  async reopenContainerLog(containerId: string): Promise<void> {
    this.#running(containerId).process.log.clear();
  }

  async execSync(containerId: string, cmd: readonly string[], timeoutSeconds: number): Promise<ExecSyncResult> {
    const { process } = this.#running(containerId);
    // The command's time does not begin before what it runs in is there.
    await process.load();
    return execSync((streams) => process.exec(cmd, streams), cmd, timeoutSeconds, this.#options.clock);
  }

  async exec(request: ExecRequest): Promise<string> {
    this.#running(request.containerId);
    return (await this.#streaming.server()).getExec(request);
  }

  async attach(request: AttachRequest): Promise<string> {
    this.#running(request.containerId);
    return (await this.#streaming.server()).getAttach(request);
  }

  async portForward(request: PortForwardRequest): Promise<string> {
    this.#sandbox(request.podSandboxId);
    return (await this.#streaming.server()).getPortForward(request);
  }

  /** A connection to where the URLs of {@link exec}, {@link attach} and {@link portForward} lead. */
  dialStreaming(): Duplex {
    return this.#streaming.dial();
  }

  /** A connection to a port of a sandbox; undefined when nothing listens there. */
  connect(sandboxId: string, port: number): Duplex | undefined {
    const sandbox = this.#sandboxes.get(sandboxId);
    return sandbox === undefined ? undefined : connectTo(sandbox, port, this.#options);
  }

  /** The sandbox with an address, and the one that has a port of the node's own with what it is called inside. */
  sandboxByIp(ip: string): string | undefined {
    return sandboxByIp(this.#sandboxes.values(), ip);
  }

  sandboxByHostPort(ip: string, port: number): HostPort | undefined {
    return sandboxByHostPort(this.#sandboxes.values(), ip, port);
  }

  getContainerEvents(listener: (event: ContainerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends all timers, for a node that goes away. */
  close(): void {
    for (const container of this.#containers.values()) container.exitTimer?.clear();
    for (const timer of this.#stopTimers) timer.clear();
    for (const container of this.#containers.values()) container.process.end();
    this.#listeners.clear();
    this.#streaming.close();
  }

  #newProcess(
    id: string,
    { config: { metadata, hostname }, status }: Sandbox,
    config: ContainerConfig,
    more: { readonly annotations: Readonly<Record<string, string>>; readonly allowance: Allowance },
  ): ContainerProcess {
    const { clock, hooks = {} } = this.#options;
    const { name: pod, namespace } = metadata;
    const identity = { namespace, pod, container: config.metadata.name, image: config.image.image };
    const onExit = (code: number): void => {
      if (this.#containers.get(id)?.behaviour.isTold === false) this.#exit(id, code);
    };
    const inside = this.#options.insideOf?.(metadata.uid, config.metadata.name);
    return new ContainerProcess({ ...more, inside, clock, config, identity, hostname, ip: status.ip, hooks, onExit });
  }

  /** Throws for a container that does not run. */
  #running(id: string): SimulatedContainer {
    const container = this.#container(id);
    const { state } = container.status;
    if (state !== "CONTAINER_RUNNING") throw new Error(`container is in ${state} state`);
    return container;
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

  #container(id: string): SimulatedContainer {
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
    container.process.end();
    container.status = { ...container.status, message: container.process.terminationMessage(exitCode) };
    for (const resolve of container.waiting.splice(0)) resolve();
    this.#tell(id, container.status.sandboxId, "CONTAINER_STOPPED_EVENT");
  }

  #tell(containerId: string, sandboxId: string, type: ContainerEvent["type"]): void {
    for (const listener of this.#listeners) listener({ containerId, sandboxId, type });
  }
}
