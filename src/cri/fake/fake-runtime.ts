import type { Duplex } from "node:stream";
import type { Clock } from "#base/clock.ts";
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
import { EXIT_KILLED, FakeContainers } from "./fake-containers.ts";
import { fakeContainerStats, fakeSandboxStats } from "./fake-stats.ts";
import { FakeStreaming } from "./fake-streaming.ts";
import { fitsSandbox } from "./filters.ts";
import type { SimulationHooks } from "./hooks.ts";
import { connectTo, type HostPort, sandboxByHostPort, sandboxByIp } from "./pod-ports.ts";
import type { PodServer } from "./pod-server.ts";
import { createdStatus } from "./simulated-container.ts";

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
}

/**
 * A runtime without containers: it keeps their states, lets time pass, and simulates what is said and done in them.
 */
export class FakeRuntime implements RuntimeService {
  readonly #options: FakeRuntimeOptions;
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #containers: FakeContainers;
  readonly #streaming: FakeStreaming;
  /** What all its containers may hold. */
  readonly allowance: Allowance;
  #lastId = 0;

  constructor(options: FakeRuntimeOptions) {
    this.#options = options;
    this.#containers = new FakeContainers(options.clock);
    this.allowance = options.allowance ?? new Allowance(NODE_LIMITS);
    this.#streaming = new FakeStreaming({
      clock: options.clock,
      random: options.random,
      processOf: (containerId) => this.#containers.running(containerId).process,
      connect: (sandboxId, port) => this.connect(sandboxId, port),
    });
  }

  /** The logs of its containers, by the path that their status tells. */
  get logFiles(): LogFiles {
    return this.#containers.logFiles;
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
    this.#sandboxes.set(id, { status, config });
    return id;
  }

  async stopPodSandbox(sandboxId: string): Promise<void> {
    const sandbox = this.#sandboxes.get(sandboxId);
    if (sandbox === undefined || sandbox.status.state === "SANDBOX_NOTREADY") return;
    for (const id of this.#containers.idsOf(sandboxId)) this.#containers.exit(id, EXIT_KILLED);
    if (sandbox.status.ip !== "") this.#options.releaseIp(sandbox.status.ip);
    sandbox.status = { ...sandbox.status, state: "SANDBOX_NOTREADY" };
  }

  async removePodSandbox(sandboxId: string): Promise<void> {
    const sandbox = this.#sandboxes.get(sandboxId);
    if (sandbox === undefined) return;
    await this.stopPodSandbox(sandboxId);
    for (const id of this.#containers.idsOf(sandboxId)) this.#containers.remove(id);
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
    const { command, args, labels, metadata } = config;
    const { logDirectory = "" } = sandbox.config;
    const annotations = { ...sandbox.config.annotations, ...config.annotations };
    const status = createdStatus(id, sandboxId, config, { logDirectory, createdAtMs: this.#options.clock.now() });
    const behaviour = behaviourOf({ name: metadata.name, command, args, labels, annotations });
    const allowance = new Allowance(CONTAINER_LIMITS, this.allowance);
    const process = this.#newProcess(id, sandbox, config, { annotations, allowance });
    this.#containers.add({ status, behaviour, process, allowance, exitTimer: undefined, waiting: [] });
    return id;
  }

  async startContainer(containerId: string): Promise<void> {
    await this.#containers.start(containerId);
  }

  async stopContainer(containerId: string, timeoutSeconds: number): Promise<void> {
    await this.#containers.stop(containerId, timeoutSeconds);
  }

  async removeContainer(containerId: string): Promise<void> {
    this.#containers.remove(containerId);
  }

  async containerStatus(containerId: string): Promise<ContainerStatus> {
    return this.#containers.get(containerId).status;
  }

  async listContainers(filter: ContainerFilter = {}): Promise<readonly ContainerStatus[]> {
    return this.containerStatuses(filter);
  }

  async containerStatuses(filter: ContainerFilter = {}): Promise<readonly ContainerStatus[]> {
    return this.#containers.statuses(filter);
  }

  async updateContainerResources(containerId: string, resources: LinuxContainerResources): Promise<void> {
    this.#containers.updateResources(containerId, resources);
  }

  /** Nothing is made of it. */
  async updatePodSandboxResources(sandboxId: string): Promise<void> {
    this.#sandbox(sandboxId);
  }

  async containerStats(containerId: string): Promise<ContainerStats> {
    return fakeContainerStats(this.#containers.get(containerId).status, this.#options.clock.now());
  }

  async listContainerStats(filter: StatsFilter & { readonly sandboxId?: string } = {}): Promise<readonly ContainerStats[]> {
    const running = this.#containers.statuses({ ...filter, state: "CONTAINER_RUNNING" });
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
    this.#containers.running(containerId).process.log.clear();
  }

  async execSync(containerId: string, cmd: readonly string[], timeoutSeconds: number): Promise<ExecSyncResult> {
    const { process } = this.#containers.running(containerId);
    // The command's time does not begin before what it runs in is there.
    await process.load();
    return execSync((streams) => process.exec(cmd, streams), cmd, timeoutSeconds, this.#options.clock);
  }

  async exec(request: ExecRequest): Promise<string> {
    this.#containers.running(request.containerId);
    return (await this.#streaming.server()).getExec(request);
  }

  async attach(request: AttachRequest): Promise<string> {
    this.#containers.running(request.containerId);
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
    return this.#containers.listen(listener);
  }

  /** Ends all timers, for a node that goes away. */
  close(): void {
    this.#containers.close();
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
    const onExit = (code: number): void => this.#containers.commandEnded(id, code);
    const inside = this.#options.insideOf?.(metadata.uid, config.metadata.name);
    return new ContainerProcess({ ...more, inside, clock, config, identity, hostname, ip: status.ip, hooks, onExit });
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
}
