import { spawn } from "node:child_process";
import { connect, createServer, type Socket } from "node:net";
import type { Logger } from "#component-base/logging.ts";

/** Addresses of the pods of this machine; those of simulated nodes begin after them. */
export const POD_CIDR = "10.243.0.0/24";
/** Of these, the one that no pod gets: this machine's, as its pods see it. */
export const POD_GATEWAY = "10.243.0.1";
/** What names of the cluster end in. */
export const CLUSTER_DOMAIN = "cluster.local";

/** Connections of pods to the API server at one time; more are closed at once. */
const CONNECTIONS_MAX = 1000;

/** Makes an address this machine's own, on its loopback; it may be so already, from an earlier run. Rejects where that is not allowed. */
export async function takeAddress(address: string): Promise<void> {
  await ip("addr", "replace", cidrOf(address), "dev", "lo");
}

/** Gives back what {@link takeAddress} took. */
export async function releaseAddress(address: string, logger: Logger): Promise<void> {
  await ip("addr", "del", cidrOf(address), "dev", "lo").catch((error: unknown) => {
    logger.warn({ address, err: error }, "an address could not be given back");
  });
}

/** The way of pods to an API server that listens on 127.0.0.1 alone. */
export interface PodGate {
  close(): Promise<void>;
}

/**
 * Passes connections to the gateway's `port` on to the same port of 127.0.0.1, byte by byte. Who may come in is the API server's
 * business, to which all of them come from 127.0.0.1. Rejects where the port cannot be had.
 */
export async function openPodGate(port: number): Promise<PodGate> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.once("error", () => other.destroy());
      one.once("close", () => {
        open.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, POD_GATEWAY, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

function cidrOf(address: string): string {
  return `${address}/${address.includes(":") ? 128 : 32}`;
}

function ip(...args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (chunk) => {
      said += chunk;
    });
    child.once("error", reject);
    child.once("close", (code) => (code === 0 ? resolve() : reject(new Error(`ip ${args.join(" ")}: ${said.trim()}`))));
  });
}
