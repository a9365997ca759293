import type { Duplex } from "node:stream";

/**
 * Leads to addresses that the machine's own network does not: nodes and pods that are simulated in this process. What it
 * reaches it vouches for, so that the rules for addresses that may be proxied to say nothing about it.
 */
export interface NetworkDialer {
  /** Whether it leads to the host, which is an address or a name. */
  reaches(host: string): boolean;
  /** A connection as TCP would be. Rejects with Node's errors of sockets (`ECONNREFUSED`). Asked only for hosts that it reaches. */
  dial(host: string, port: number): Promise<Duplex>;
}
