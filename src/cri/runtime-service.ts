/** Identifies a sandbox: `attempt` counts the sandboxes that a pod had. */
export interface PodSandboxMetadata {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly attempt: number;
}

/** What a sandbox is made of. */
export interface PodSandboxConfig {
  readonly metadata: PodSandboxMetadata;
  readonly hostname: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Shares the node's network: the sandbox has no address of its own. */
  readonly hostNetwork: boolean;
  /** Where the logs of its containers are; `logPath` of a container is relative to it. Empty: nowhere. */
  readonly logDirectory?: string;
  /** The ports of all its containers. */
  readonly portMappings?: readonly PortMapping[];
}

/** A port of a sandbox. */
export interface PortMapping {
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly containerPort: number;
  /** 0 when the node's own port is not taken. */
  readonly hostPort: number;
}

/** A sandbox as the runtime knows it. */
export interface PodSandboxStatus {
  readonly id: string;
  readonly metadata: PodSandboxMetadata;
  readonly state: "SANDBOX_READY" | "SANDBOX_NOTREADY";
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number;
  /** Empty with the host's network. */
  readonly ip: string;
}

/** Identifies a container in its sandbox: `attempt` counts its restarts. */
export interface ContainerMetadata {
  readonly name: string;
  readonly attempt: number;
}

/** What a container is made of. */
export interface ContainerConfig {
  readonly metadata: ContainerMetadata;
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly envs?: readonly { readonly key: string; readonly value: string }[];
  /** Empty: as the image says. */
  readonly workingDir?: string;
  /** Relative to the sandbox's `logDirectory`. Empty: no log is kept. */
  readonly logPath?: string;
  /** Its standard input stays open, to be attached to; until the first who attached to it leaves, with `stdinOnce`. */
  readonly stdin?: boolean;
  readonly stdinOnce?: boolean;
  readonly tty?: boolean;
}

export type ContainerState = "CONTAINER_CREATED" | "CONTAINER_RUNNING" | "CONTAINER_EXITED" | "CONTAINER_UNKNOWN";

/** A container as the runtime knows it. Times are milliseconds since the epoch. */
export interface ContainerStatus {
  readonly id: string;
  readonly sandboxId: string;
  readonly metadata: ContainerMetadata;
  readonly state: ContainerState;
  readonly image: string;
  readonly imageRef: string;
  readonly createdAtMs: number;
  /** Undefined before it was started. */
  readonly startedAtMs: number | undefined;
  /** Undefined before it exited. */
  readonly finishedAtMs: number | undefined;
  readonly exitCode: number;
  /** `Completed`, `Error`; empty before it exited. */
  readonly reason: string;
  readonly message: string;
  /** The whole path of its log; empty when none is kept. */
  readonly logPath: string;
}

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

/** How a command ended, with all that it said. */
export interface ExecSyncResult {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly exitCode: number;
}

/** A container changed its state by itself or by a call. */
export interface ContainerEvent {
  readonly containerId: string;
  readonly sandboxId: string;
  readonly type: "CONTAINER_CREATED_EVENT" | "CONTAINER_STARTED_EVENT" | "CONTAINER_STOPPED_EVENT" | "CONTAINER_DELETED_EVENT";
}

/** What is asked of a runtime that does not exist there. */
export class NotFoundError extends Error {
  override readonly name = "NotFoundError";
}

/**
 * The container runtime of one node, as CRI's RuntimeService names it. Stopping and removing are idempotent; other calls
 * reject with {@link NotFoundError} for unknown ids.
 */
export interface RuntimeService {
  version(): Promise<{ readonly runtimeName: string; readonly runtimeVersion: string }>;
  runPodSandbox(config: PodSandboxConfig): Promise<string>;
  /** Stops its containers too, at once. */
  stopPodSandbox(sandboxId: string): Promise<void>;
  /** Removes its containers too. */
  removePodSandbox(sandboxId: string): Promise<void>;
  podSandboxStatus(sandboxId: string): Promise<PodSandboxStatus>;
  listPodSandbox(): Promise<readonly PodSandboxStatus[]>;
  createContainer(sandboxId: string, config: ContainerConfig): Promise<string>;
  startContainer(containerId: string): Promise<void>;
  /** Asks the container to end, and ends it after `timeoutSeconds`. Resolves when it has ended. */
  stopContainer(containerId: string, timeoutSeconds: number): Promise<void>;
  removeContainer(containerId: string): Promise<void>;
  containerStatus(containerId: string): Promise<ContainerStatus>;
  listContainers(filter?: { readonly sandboxId?: string }): Promise<readonly ContainerStatus[]>;
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
  /** CRI's GetContainerEvents: told of every change until the returned function is called. */
  getContainerEvents(listener: (event: ContainerEvent) => void): () => void;
}
