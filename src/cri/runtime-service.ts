import type { Container, ContainerConfig, ContainerFilter, ContainerStatus } from "./container.ts";
import type { LinuxContainerResources } from "./linux-config.ts";
import type { PodSandbox, PodSandboxConfig, PodSandboxFilter, PodSandboxStatus } from "./pod-sandbox.ts";
import type { CgroupDriver, RuntimeStatus, RuntimeVersion } from "./runtime-status.ts";
import type { ContainerStats, PodSandboxStats, StatsFilter } from "./stats.ts";

/** A command to run in a container, with the streams that are wanted; `stderr` not with `tty`. */
export interface ExecRequest extends AttachRequest {
  readonly cmd: readonly string[];
}

/** Streams that are wanted of a container's process; at least one of them, `stderr` not with `tty`. */
export interface AttachRequest {
  readonly containerId: string;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** Ports of a sandbox to be connected with; those are named here only for who forwards over WebSocket. */
export interface PortForwardRequest {
  readonly podSandboxId: string;
  readonly ports: readonly number[];
}

/** What a pod's containers have together, and what it needs beside them. */
export interface PodResources {
  readonly overhead?: LinuxContainerResources;
  readonly resources?: LinuxContainerResources;
}

/** How a command ended, with all that it said. */
export interface ExecSyncResult {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly exitCode: number;
}

/** A container changed its state by itself or by a call. Some runtimes tell the same of sandboxes: both ids are equal then. */
export interface ContainerEvent {
  readonly containerId: string;
  readonly sandboxId: string;
  readonly type: "CONTAINER_CREATED_EVENT" | "CONTAINER_STARTED_EVENT" | "CONTAINER_STOPPED_EVENT" | "CONTAINER_DELETED_EVENT";
}

/**
 * The container runtime of one node, as CRI's RuntimeService names it. Stopping and removing are idempotent; other calls
 * reject with `NotFoundError` for unknown ids, and with `UnimplementedError` where the runtime does not know the call.
 */
export interface RuntimeService {
  version(): Promise<RuntimeVersion>;
  status(verbose?: boolean): Promise<RuntimeStatus>;
  /** Who makes the runtime's cgroups; the kubelet's own setting counts where that is not implemented. */
  cgroupDriver(): Promise<CgroupDriver>;
  /** Tells the range of the pods' addresses, once the node has one. */
  updatePodCidr(podCidr: string): Promise<void>;
  /** `runtimeHandler` is what a RuntimeClass names. */
  runPodSandbox(config: PodSandboxConfig, runtimeHandler?: string): Promise<string>;
  /** Stops its containers too, at once. */
  stopPodSandbox(sandboxId: string): Promise<void>;
  /** Removes its containers too. */
  removePodSandbox(sandboxId: string): Promise<void>;
  podSandboxStatus(sandboxId: string): Promise<PodSandboxStatus>;
  listPodSandbox(filter?: PodSandboxFilter): Promise<readonly PodSandbox[]>;
  /** `sandboxConfig` is what the sandbox was made of. */
  createContainer(sandboxId: string, config: ContainerConfig, sandboxConfig: PodSandboxConfig): Promise<string>;
  startContainer(containerId: string): Promise<void>;
  /** Asks the container to end, and ends it after `timeoutSeconds`. Resolves when it has ended. */
  stopContainer(containerId: string, timeoutSeconds: number): Promise<void>;
  removeContainer(containerId: string): Promise<void>;
  containerStatus(containerId: string): Promise<ContainerStatus>;
  listContainers(filter?: ContainerFilter): Promise<readonly Container[]>;
  /** The status of each that {@link listContainers} has; of those that go meanwhile there is none. */
  containerStatuses(filter?: ContainerFilter): Promise<readonly ContainerStatus[]>;
  /** Changes the cgroup of a container that was not ended; what is not named stays as it is. */
  updateContainerResources(containerId: string, resources: LinuxContainerResources): Promise<void>;
  /** Tells what a pod has as a whole, after that was changed: its containers, and what it needs beside them. */
  updatePodSandboxResources(sandboxId: string, resources: PodResources): Promise<void>;
  /** Begins its log anew, after the file was moved away. */
  reopenContainerLog(containerId: string): Promise<void>;
  /** Runs a command to its end; rejects when that takes longer than `timeoutSeconds`, unless that is 0. */
  execSync(containerId: string, cmd: readonly string[], timeoutSeconds: number): Promise<ExecSyncResult>;
  /** A URL where the command can be run once, over SPDY or WebSocket. Rejects for a container that does not run. */
  exec(request: ExecRequest): Promise<string>;
  /** A URL where the container's process can be attached to once. */
  attach(request: AttachRequest): Promise<string>;
  /** A URL where ports of the sandbox can be connected with. */
  portForward(request: PortForwardRequest): Promise<string>;
  containerStats(containerId: string): Promise<ContainerStats>;
  /** Of containers that run. */
  listContainerStats(filter?: StatsFilter & { readonly sandboxId?: string }): Promise<readonly ContainerStats[]>;
  podSandboxStats(sandboxId: string): Promise<PodSandboxStats>;
  listPodSandboxStats(filter?: StatsFilter): Promise<readonly PodSandboxStats[]>;
  /** Writes a container's state to a file of the node. */
  checkpointContainer(containerId: string, location: string, timeoutSeconds: number): Promise<void>;
  /**
   * CRI's GetContainerEvents: told of every change until the returned function is called. `onEnd` is called once when no
   * more will come, with an `UnimplementedError` where the runtime has no events; what happened meanwhile must be listed.
   */
  getContainerEvents(listener: (event: ContainerEvent) => void, onEnd?: (error: Error) => void): () => void;
}
