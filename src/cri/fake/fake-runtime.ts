import type { Duplex } from "node:stream";
import type { Clock, Timer } from "#base/clock.ts";
import { duplexPair } from "#base/duplex-pair.ts";
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
import type { StreamingServer } from "../streaming/streaming-server.ts";
import { Allowance, CONTAINER_LIMITS, NODE_LIMITS } from "./allowance.ts";
import { type Behaviour, behaviourOf } from "./behaviour.ts";
import type { ContainerInside } from "./container-inside.ts";
import { ContainerProcess } from "./container-process.ts";
import { execSync } from "./exec-sync.ts";
import { fakeContainerStats, fakeSandboxStats } from "./fake-stats.ts";
import { fitsContainer, fitsSandbox } from "./filters.ts";
import type { SimulationHooks } from "./hooks.ts";
import { joinStreams } from "./join-streams.ts";
import type { MemoryLog } from "./memory-log.ts";
import type { PodServer } from "./pod-server.ts";

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
  /** An address for a new sandbox; given back with `releaseIp`. */
  readonly allocateIp: () => string;
  readonly releaseIp: (ip: string) => void;
  /** Makes ids unique among runtimes. */
  readonly idPrefix: string;
}

interface Sandbox {
  status: PodSandboxStatus;
  readonly config: PodSandboxConfig;
  readonly containers: Set<string>;
}

interface SimulatedContainer {
  status: ContainerStatus;
  readonly behaviour: Behaviour;
  readonly process: ContainerProcess;
  readonly allowance: Allowance;
  exitTimer: Timer | undefined;
  /** Told when the container has ended. */
  readonly waiting: (() => void)[];
}

/** Exit code of a container that ended because it was asked to (SIGTERM), and of one that was killed. */
const EXIT_TERMINATED = 143;
const EXIT_KILLED = 137;
/** How long a container that ends waits for its command to end too, in milliseconds. */
const LAST_WORDS_MS = 20;

/** Where URLs of the streaming server lead: nowhere but to {@link FakeRuntime.dialStreaming}. */
const STREAMING_BASE_URL = "http://streaming.fake.invalid";

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
  #streaming: Promise<StreamingServer> | undefined;
  /** What all its containers may hold. */
  readonly allowance: Allowance;
  #lastId = 0;

  constructor(options: FakeRuntimeOptions) {
    this.#options = options;
    this.allowance = options.allowance ?? new Allowance(NODE_LIMITS);
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
    const status: PodSandboxStatus = {
      id,
      metadata: config.metadata,
      state: "SANDBOX_READY",
      createdAtMs: this.#options.clock.now(),
      ip: hasHostNetwork(config) ? "" : this.#options.allocateIp(),
      additionalIps: [],
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
    const annotations = { ...sandbox.config.annotations, ...config.annotations };
    const { logDirectory = "" } = sandbox.config;
    const logPath = config.logPath === undefined || config.logPath === "" ? "" : `${logDirectory}/${config.logPath}`;
    const status: ContainerStatus = {
      id,
      sandboxId,
      metadata: config.metadata,
      state: "CONTAINER_CREATED",
      image: config.image.image,
      imageRef: config.image.image,
      labels: config.labels,
      annotations: config.annotations,
      createdAtMs: this.#options.clock.now(),
      startedAtMs: undefined,
      finishedAtMs: undefined,
      exitCode: 0,
      reason: "",
      message: "",
      logPath,
      ...(config.linux?.resources === undefined ? {} : { resources: config.linux.resources }),
    };
    const behaviour = behaviourOf({ ...config, name, annotations });
    const allowance = new Allowance(CONTAINER_LIMITS, this.allowance);
    const process = this.#newProcess(id, sandbox, config, { annotations, allowance });
    if (logPath !== "") this.#logs.set(logPath, process.log);
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
    const statuses = [...ids].flatMap((id) => this.#containers.get(id)?.status ?? []);
    return statuses.filter((status) => fitsContainer(status, filter));
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
    return (await this.#streamingServer()).getExec(request);
  }

  async attach(request: AttachRequest): Promise<string> {
    this.#running(request.containerId);
    return (await this.#streamingServer()).getAttach(request);
  }

  async portForward(request: PortForwardRequest): Promise<string> {
    this.#sandbox(request.podSandboxId);
    return (await this.#streamingServer()).getPortForward(request);
  }

  /** A connection to where the URLs of {@link exec}, {@link attach} and {@link portForward} lead. */
  dialStreaming(): Duplex {
    const [near, far] = duplexPair();
    void this.#streamingServer().then((server) => server.accept(far));
    return near;
  }

  /** A connection to a port of a sandbox; undefined when nothing listens there. */
  connect(sandboxId: string, port: number): Duplex | undefined {
    const sandbox = this.#sandboxes.get(sandboxId);
    if (sandbox?.status.state !== "SANDBOX_READY") return undefined;
    const { metadata, portMappings = [] } = sandbox.config;
    const { hooks = {}, podServer } = this.#options;
    const at = { namespace: metadata.namespace, pod: metadata.name, ip: sandbox.status.ip, port };
    const [near, far] = duplexPair();
    far.on("error", () => undefined);
    near.on("error", () => undefined);
    if (hooks.serve?.(far, at) === true) return near;
    if (!portMappings.some(({ containerPort, protocol }) => containerPort === port && protocol === "TCP")) return undefined;
    podServer.accept(far, at);
    return near;
  }

  /** The sandbox with an address, and the one that has a port of the node's own with what it is called inside. */
  sandboxByIp(ip: string): string | undefined {
    return [...this.#sandboxes.values()].find(({ status }) => status.ip === ip && status.state === "SANDBOX_READY")?.status.id;
  }

  sandboxByHostPort(port: number): { readonly sandboxId: string; readonly containerPort: number } | undefined {
    for (const { status, config } of this.#sandboxes.values()) {
      const taken = config.portMappings?.find(
        ({ hostPort, containerPort }) => port === (hasHostNetwork(config) ? containerPort : hostPort),
      );
      if (taken !== undefined && status.state === "SANDBOX_READY")
        return { sandboxId: status.id, containerPort: taken.containerPort };
    }
    return undefined;
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
    void this.#streaming?.then((server) => server.close());
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

  /** Is made when it is first needed: few nodes are ever asked. */
  #streamingServer(): Promise<StreamingServer> {
    this.#streaming ??= this.#startStreaming();
    return this.#streaming;
  }

  async #startStreaming(): Promise<StreamingServer> {
    const { clock, random } = this.#options;
    const { StreamingServer } = await import("../streaming/streaming-server.ts");
    return new StreamingServer(
      { clock, random, baseUrl: STREAMING_BASE_URL },
      {
        exec: (containerId, command, streams) => this.#running(containerId).process.exec(command, streams),
        attach: (containerId, streams) => this.#running(containerId).process.attach(streams),
        portForward: (sandboxId, port, stream) => this.#forward(sandboxId, port, stream),
      },
    );
  }

  async #forward(sandboxId: string, port: number, stream: Duplex): Promise<void> {
    const connection = this.connect(sandboxId, port);
    if (connection === undefined) {
      const refused = `dial tcp4 127.0.0.1:${port}: connect: connection refused`;
      throw new Error(`failed to connect to localhost:${port} inside the sandbox of the pod: ${refused}`);
    }
    await joinStreams(stream, connection);
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
