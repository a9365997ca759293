/** Whose namespace is used: the pod's, the container's own, the node's, or that of the container `targetId`. */
export type NamespaceMode = "POD" | "CONTAINER" | "NODE" | "TARGET";

/** Ids of the node's that stand for ids inside. */
export interface IdMapping {
  readonly hostId: number;
  readonly containerId: number;
  readonly length: number;
}

/** Namespaces of a sandbox or container; those that are not named are the pod's. */
export interface NamespaceOption {
  readonly network?: NamespaceMode;
  readonly pid?: NamespaceMode;
  readonly ipc?: NamespaceMode;
  readonly targetId?: string;
  readonly usernsOptions?: {
    readonly mode: NamespaceMode;
    readonly uids?: readonly IdMapping[];
    readonly gids?: readonly IdMapping[];
  };
}

/** A seccomp or AppArmor profile. `localhostRef` is its path or name on the node. */
export interface SecurityProfile {
  readonly profileType: "RuntimeDefault" | "Unconfined" | "Localhost";
  readonly localhostRef?: string;
}

/** Labels of SELinux. */
export interface SeLinuxOption {
  readonly user?: string;
  readonly role?: string;
  readonly type?: string;
  readonly level?: string;
}

/** Limits and shares, as cgroups know them; what is left out is not changed, or as the runtime has it. */
export interface LinuxContainerResources {
  /** Microseconds, as `cpuQuota`. */
  readonly cpuPeriod?: number;
  readonly cpuQuota?: number;
  readonly cpuShares?: number;
  readonly memoryLimitInBytes?: number;
  readonly memorySwapLimitInBytes?: number;
  readonly oomScoreAdj?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: number }[];
  /** Files of cgroup v2 and what is written to them. */
  readonly unified?: Readonly<Record<string, string>>;
}

/** What sandboxes and containers have in common. */
interface SecurityContext {
  readonly namespaceOptions?: NamespaceOption;
  readonly selinuxOptions?: SeLinuxOption;
  readonly runAsUser?: number;
  /** Only with a user. */
  readonly runAsGroup?: number;
  readonly readonlyRootfs?: boolean;
  readonly supplementalGroups?: readonly number[];
  /** Whether the groups that the image gives its user are added. */
  readonly supplementalGroupsPolicy?: "Merge" | "Strict";
  readonly privileged?: boolean;
  readonly seccomp?: SecurityProfile;
  readonly apparmor?: SecurityProfile;
}

/** Who a sandbox is and what it may. */
export type LinuxSandboxSecurityContext = SecurityContext;

/** Who a container is and what it may. */
export interface LinuxContainerSecurityContext extends SecurityContext {
  readonly capabilities?: {
    readonly addCapabilities?: readonly string[];
    readonly dropCapabilities?: readonly string[];
    readonly addAmbientCapabilities?: readonly string[];
  };
  /** Instead of `runAsUser`: a name that the image knows. */
  readonly runAsUsername?: string;
  readonly noNewPrivs?: boolean;
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
}

/** A sandbox on Linux. */
export interface LinuxPodSandboxConfig {
  /** The cgroup under which those of its containers are: a path, or a slice of systemd. */
  readonly cgroupParent?: string;
  readonly securityContext?: LinuxSandboxSecurityContext;
  readonly sysctls?: Readonly<Record<string, string>>;
  /** What the pod needs beside its containers, and what these need together. */
  readonly overhead?: LinuxContainerResources;
  readonly resources?: LinuxContainerResources;
}
