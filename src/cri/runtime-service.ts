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
  /** CRI's GetContainerEvents: told of every change until the returned function is called. */
  getContainerEvents(listener: (event: ContainerEvent) => void): () => void;
}
