import type { Duplex } from "node:stream";
import type { Clock } from "#base/clock.ts";
import type { DnsClient } from "../sockets.ts";
import { framed, TcpFrames } from "./tcp-frames.ts";

/** The most connections at a time, of all clients and of one. */
const CONNECTIONS_MAX = 1_000;
const CONNECTIONS_OF_CLIENT_MAX = 100;
/** The most queries of one connection that are worked on at a time: no more is read until some are answered. */
const PENDING_MAX = 32;
/** The longest query over TCP, in bytes. */
const QUERY_BYTES_MAX = 4_096;
/** How long a connection may be idle, in milliseconds, and how long a query may take to come. */
const IDLE_MS = 10_000;

/** Options of {@link TcpConnections}. */
export interface TcpConnectionOptions {
  readonly clock: Clock;
  /** What a query is answered; undefined for nothing. Never rejects. */
  readonly handle: (bytes: Buffer, client: DnsClient) => Promise<Buffer | undefined> | Buffer | undefined;
}

/** Serves queries over TCP: several of a connection at a time, answered as they are ready (RFC 7766). */
export class TcpConnections {
  readonly #options: TcpConnectionOptions;
  readonly #open = new Set<Duplex>();
  readonly #ofClient = new Map<string, number>();

  constructor(options: TcpConnectionOptions) {
    this.#options = options;
  }

  /** Takes a connection over. One too many is closed at once. */
  serve(connection: Duplex, client: DnsClient): void {
    connection.on("error", () => {});
    const count = this.#ofClient.get(client.address) ?? 0;
    if (this.#open.size >= CONNECTIONS_MAX || count >= CONNECTIONS_OF_CLIENT_MAX) {
      connection.destroy();
      return;
    }
    this.#open.add(connection);
    this.#ofClient.set(client.address, count + 1);
    const idle = this.#idleTimer(connection);
    connection.once("close", () => {
      idle.clear();
      this.#open.delete(connection);
      const left = (this.#ofClient.get(client.address) ?? 1) - 1;
      if (left === 0) this.#ofClient.delete(client.address);
      else this.#ofClient.set(client.address, left);
    });
    this.#read(connection, client, idle.touch);
  }

  close(): void {
    for (const connection of this.#open) connection.destroy();
  }

  #idleTimer(connection: Duplex): { readonly touch: () => void; readonly clear: () => void } {
    const { clock } = this.#options;
    const start = () => clock.setTimeout(() => connection.destroy(), IDLE_MS, { unref: true });
    let timer = start();
    const touch = (): void => {
      timer.clear();
      if (!connection.destroyed) timer = start();
    };
    return { touch, clear: () => timer.clear() };
  }

  #read(connection: Duplex, client: DnsClient, touch: () => void): void {
    const frames = new TcpFrames(QUERY_BYTES_MAX);
    let pending = 0;
    let hasEnded = false;
    const endWhenDone = (): void => {
      if (hasEnded && pending === 0) connection.end();
    };
    const answer = async (bytes: Buffer): Promise<void> => {
      const message = await this.#options.handle(bytes, client);
      pending--;
      if (connection.destroyed) return;
      if (message !== undefined) {
        touch();
        connection.write(framed(message));
      }
      // Who does not read its answers is not read from.
      if (pending < PENDING_MAX && connection.writableLength < 2 ** 20) connection.resume();
      endWhenDone();
    };
    connection.on("drain", () => connection.resume());
    connection.on("data", (chunk: Buffer) => {
      const messages = frames.push(chunk);
      if (messages === undefined) {
        connection.destroy();
        return;
      }
      // A query that is whole is a sign of life; a byte now and then is none.
      if (messages.length > 0) touch();
      pending += messages.length;
      if (pending >= PENDING_MAX) connection.pause();
      for (const message of messages) void answer(message);
    });
    connection.on("end", () => {
      hasEnded = true;
      endWhenDone();
    });
  }
}
