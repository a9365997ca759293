import type { Duplex } from "node:stream";
import { ipv4Beside } from "#cni/simulated-addresses.ts";
import { PodServer } from "#cri/fake/pod-server.ts";

/** A simulated node as the network sees it. */
export interface NetworkNode {
  readonly name: string;
  readonly hostIp: string;
  /** A connection to a port of one of its pods, or of its own; undefined where nothing listens. */
  connect(host: string, port: number): Duplex | undefined;
}

/**
 * The network of simulated nodes and pods: their addresses exist in this process only, and connections to them never
 * leave it. It costs nothing until somebody connects.
 */
export class SimulatedNetwork {
  /** Stands behind the ports of all simulated pods. */
  readonly podServer: PodServer = new PodServer();
  readonly #byHost = new Map<string, NetworkNode>();
  /** By what the addresses of its pods begin with. */
  readonly #byPodNetwork = new Map<string, NetworkNode>();

  /** Adds a node; `podCidr` is an IPv4 network of 24 bits. */
  add(node: NetworkNode, podCidr: string): void {
    this.#byHost.set(node.name, node);
    this.#byHost.set(node.hostIp, node);
    this.#byPodNetwork.set(networkOf(podCidr), node);
  }

  /** Whether the host, an address or a node's name, is simulated here. */
  reaches(host: string): boolean {
    return this.#nodeOf(host) !== undefined;
  }

  /** A connection as TCP would be; rejects as Node's sockets where nothing listens. */
  async dial(host: string, port: number): Promise<Duplex> {
    const connection = this.#nodeOf(host)?.connect(host, port);
    if (connection !== undefined) return connection;
    const message = `connect ECONNREFUSED ${host}:${port}`;
    throw Object.assign(new Error(message), { code: "ECONNREFUSED", syscall: "connect", address: host, port });
  }

  /** Ends all connections to pods. */
  close(): void {
    this.podServer.close();
    this.#byHost.clear();
    this.#byPodNetwork.clear();
  }

  #nodeOf(host: string): NetworkNode | undefined {
    const known = ipv4Beside(host);
    return this.#byHost.get(known) ?? this.#byPodNetwork.get(networkOf(known));
  }
}

function networkOf(address: string): string {
  return address.split("/")[0]?.split(".").slice(0, 3).join(".") ?? "";
}
