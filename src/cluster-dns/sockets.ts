import type { Duplex } from "node:stream";

/** Who asks. */
export interface DnsClient {
  readonly address: string;
  readonly port: number;
}

/** A socket that listens. */
export interface DnsListener {
  readonly port: number;
  close(): Promise<void>;
}

/** Another DNS server. */
export interface Upstream {
  readonly address: string;
  readonly port: number;
}

/** How other servers are asked. */
export type DnsProtocol = "udp" | "tcp";

/** The machine's network, as this component needs it. */
export interface DnsSockets {
  /** Port 0 for any. Rejects where it cannot be had. Datagrams come as they are; `reply` never throws. */
  listenUdp(
    address: string,
    port: number,
    onDatagram: (bytes: Buffer, client: DnsClient, reply: (bytes: Buffer) => void) => void,
  ): Promise<DnsListener>;
  /** Connections end with the listener. */
  listenTcp(address: string, port: number, onConnection: (connection: Duplex, client: DnsClient) => void): Promise<DnsListener>;
  /**
   * Sends a message from a port of its own and resolves with the first answer that `accept` takes something from. Rejects when the signal
   * is aborted, and for what the network says.
   */
  exchange<T>(
    protocol: DnsProtocol,
    upstream: Upstream,
    message: Buffer,
    accept: (answer: Buffer) => T | undefined,
    signal: AbortSignal,
  ): Promise<T>;
}
