import type { LinuxPodSandboxConfig } from "./linux-config.ts";

/** Identifies a sandbox: `attempt` counts the sandboxes that a pod had. */
export interface PodSandboxMetadata {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly attempt: number;
}

/** What is written to `resolv.conf` of the containers. */
export interface DnsConfig {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

/** What a sandbox is made of. */
export interface PodSandboxConfig {
  readonly metadata: PodSandboxMetadata;
  /** Empty with the host's network: the node's name. */
  readonly hostname: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Where the logs of its containers are; `logPath` of a container is relative to it. Empty: nowhere. */
  readonly logDirectory?: string;
  /** Left out: as the node has it. */
  readonly dnsConfig?: DnsConfig;
  /** The ports of all its containers. */
  readonly portMappings?: readonly PortMapping[];
  readonly linux?: LinuxPodSandboxConfig;
}

/** A port of a sandbox. */
export interface PortMapping {
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly containerPort: number;
  /** 0 when the node's own port is not taken. */
  readonly hostPort: number;
  /** Empty: all addresses of the node. */
  readonly hostIp?: string;
}

/** Whether a sandbox shares the node's network: it has no address of its own then. */
export function hasHostNetwork({ linux }: PodSandboxConfig): boolean {
  return linux?.securityContext?.namespaceOptions?.network === "NODE";
}

/** Whether containers can be started in it. */
export type PodSandboxState = "SANDBOX_READY" | "SANDBOX_NOTREADY";

/** A sandbox as runtimes list it. */
export interface PodSandbox {
  readonly id: string;
  readonly metadata: PodSandboxMetadata;
  readonly state: PodSandboxState;
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** The name of a RuntimeClass's handler; empty: the runtime's own choice. */
  readonly runtimeHandler: string;
}

/** A sandbox with its addresses. */
export interface PodSandboxStatus extends PodSandbox {
  /** Empty with the host's network. */
  readonly ip: string;
  /** Of the other family. */
  readonly additionalIps: readonly string[];
}

/** Sandboxes to be listed: those that fit all that is named. */
export interface PodSandboxFilter {
  readonly id?: string;
  readonly state?: PodSandboxState;
  readonly labelSelector?: Readonly<Record<string, string>>;
}
