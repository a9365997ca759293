import type { IdMapping, LinuxContainerResources, LinuxContainerSecurityContext } from "./linux-config.ts";

/** Identifies a container in its sandbox: `attempt` counts its restarts. */
export interface ContainerMetadata {
  readonly name: string;
  readonly attempt: number;
}

/** An image by its name or id. */
export interface ImageSpec {
  /** What the runtime finds it by: for containers the id that pulling gave. */
  readonly image: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** As the pod names it. */
  readonly userSpecifiedImage?: string;
  /** Of the pod that wants it; empty: the runtime's own choice. */
  readonly runtimeHandler?: string;
}

/** A file or folder of the node, or an image, in a container. */
export interface Mount {
  readonly containerPath: string;
  /** Empty with `image`. */
  readonly hostPath: string;
  readonly readonly?: boolean;
  readonly recursiveReadOnly?: boolean;
  readonly selinuxRelabel?: boolean;
  readonly propagation?: "PROPAGATION_PRIVATE" | "PROPAGATION_HOST_TO_CONTAINER" | "PROPAGATION_BIDIRECTIONAL";
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
  readonly image?: ImageSpec;
  readonly imageSubPath?: string;
}

/** A device of the node in a container; `permissions` are letters of `rwm`. */
export interface Device {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly permissions: string;
}

/** What a container is made of. */
export interface ContainerConfig {
  readonly metadata: ContainerMetadata;
  readonly image: ImageSpec;
  /** Empty: as the image says. */
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly envs?: readonly { readonly key: string; readonly value: string }[];
  /** Empty: as the image says. */
  readonly workingDir?: string;
  readonly mounts?: readonly Mount[];
  readonly devices?: readonly Device[];
  /** Devices by names of the Container Device Interface. */
  readonly cdiDevices?: readonly { readonly name: string }[];
  /** Relative to the sandbox's `logDirectory`. Empty: no log is kept. */
  readonly logPath?: string;
  /** Its standard input stays open, to be attached to; until the first who attached to it leaves, with `stdinOnce`. */
  readonly stdin?: boolean;
  readonly stdinOnce?: boolean;
  readonly tty?: boolean;
  readonly linux?: {
    readonly resources?: LinuxContainerResources;
    readonly securityContext?: LinuxContainerSecurityContext;
  };
}

/** Where a container is in its life. */
export type ContainerState = "CONTAINER_CREATED" | "CONTAINER_RUNNING" | "CONTAINER_EXITED" | "CONTAINER_UNKNOWN";

/** A container as runtimes list it. */
export interface Container {
  readonly id: string;
  readonly sandboxId: string;
  readonly metadata: ContainerMetadata;
  readonly state: ContainerState;
  /** As it was asked for. */
  readonly image: string;
  /** What the runtime found: a name with a digest, or an id. */
  readonly imageRef: string;
  /** Milliseconds since the epoch, as all times. */
  readonly createdAtMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A container with how it goes. */
export interface ContainerStatus extends Container {
  /** Undefined before it was started. */
  readonly startedAtMs: number | undefined;
  /** Undefined before it exited. */
  readonly finishedAtMs: number | undefined;
  readonly exitCode: number;
  /** `Completed`, `Error`, `OOMKilled`; empty before it exited. */
  readonly reason: string;
  readonly message: string;
  /** The whole path of its log; empty when none is kept. */
  readonly logPath: string;
  readonly mounts?: readonly Mount[];
  /** What it has now, where the runtime tells. */
  readonly resources?: LinuxContainerResources;
  /** Who its process is, where the runtime tells. */
  readonly user?: { readonly uid: number; readonly gid: number; readonly supplementalGroups: readonly number[] };
}

/** Containers to be listed: those that fit all that is named. */
export interface ContainerFilter {
  readonly id?: string;
  readonly state?: ContainerState;
  readonly sandboxId?: string;
  readonly labelSelector?: Readonly<Record<string, string>>;
}
