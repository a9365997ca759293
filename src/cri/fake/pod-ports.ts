import type { Duplex } from "node:stream";
import { duplexPair } from "#base/duplex-pair.ts";
import { hasHostNetwork, type PodSandboxConfig, type PodSandboxStatus } from "../pod-sandbox.ts";
import type { SimulationHooks } from "./hooks.ts";
import type { PodServer } from "./pod-server.ts";

/** A sandbox, as far as others reach it. */
export interface Reachable {
  readonly status: PodSandboxStatus;
  readonly config: PodSandboxConfig;
}

/** What answers for the ports of pods. */
export interface Answering {
  /** Answers for the ports that containers declare. */
  readonly podServer: PodServer;
  /** Are asked before. */
  readonly hooks?: SimulationHooks;
}

/** A connection to a port of a sandbox; undefined when nothing listens there. */
export function connectTo({ status, config }: Reachable, port: number, { hooks = {}, podServer }: Answering): Duplex | undefined {
  if (status.state !== "SANDBOX_READY") return undefined;
  const { metadata, portMappings = [] } = config;
  const at = { namespace: metadata.namespace, pod: metadata.name, ip: status.ip, port };
  const [near, far] = duplexPair();
  far.on("error", () => undefined);
  near.on("error", () => undefined);
  if (hooks.serve?.(far, at) === true) return near;
  if (!portMappings.some(({ containerPort, protocol }) => containerPort === port && protocol === "TCP")) return undefined;
  podServer.accept(far, at);
  return near;
}

/** The sandbox with an address. */
export function sandboxByIp(sandboxes: Iterable<Reachable>, ip: string): string | undefined {
  for (const { status } of sandboxes) {
    if (status.state === "SANDBOX_READY" && (status.ip === ip || status.additionalIps.includes(ip))) return status.id;
  }
  return undefined;
}

/** A sandbox that has a port of the node's own, and what the port is called inside. */
export interface HostPort {
  readonly sandboxId: string;
  readonly containerPort: number;
}

/** What stands for all addresses of a node. */
const ALL_ADDRESSES: readonly string[] = ["", "0.0.0.0", "::"];

/** The sandbox that has a port of the node's own, for connections to one of its addresses. */
export function sandboxByHostPort(sandboxes: Iterable<Reachable>, ip: string, port: number): HostPort | undefined {
  for (const { status, config } of sandboxes) {
    const isHost = hasHostNetwork(config);
    const taken = config.portMappings?.find(
      ({ hostPort, containerPort, protocol, hostIp = "" }) =>
        protocol === "TCP" &&
        (isHost ? containerPort === port : hostPort === port && (ALL_ADDRESSES.includes(hostIp) || hostIp === ip)),
    );
    if (taken !== undefined && status.state === "SANDBOX_READY")
      return { sandboxId: status.id, containerPort: taken.containerPort };
  }
  return undefined;
}
