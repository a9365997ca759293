/** What runtime it is, and how it speaks. */
export interface RuntimeVersion {
  readonly runtimeName: string;
  readonly runtimeVersion: string;
  readonly runtimeApiVersion: string;
}

/** `RuntimeReady`, `NetworkReady` and what else a runtime has to say. */
export interface RuntimeCondition {
  readonly type: string;
  readonly status: boolean;
  readonly reason: string;
  readonly message: string;
}

/** A handler that RuntimeClasses can name. The one without a name is the default. */
export interface RuntimeHandler {
  readonly name: string;
  readonly recursiveReadOnlyMounts: boolean;
  readonly userNamespaces: boolean;
}

/** How a runtime is, and what it can do. */
export interface RuntimeStatus {
  readonly conditions: readonly RuntimeCondition[];
  /** None where the runtime is too old to tell. */
  readonly handlers: readonly RuntimeHandler[];
  readonly supplementalGroupsPolicy: boolean;
  readonly userNamespacesHostNetwork: boolean;
  /** JSON texts by their names, when `verbose` was asked for. */
  readonly info: Readonly<Record<string, string>>;
}

/** Who makes cgroups: systemd, or whoever writes to the file system. */
export type CgroupDriver = "SYSTEMD" | "CGROUPFS";
