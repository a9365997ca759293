import { createServer as createHttp1Server, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttp2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { PeerIdentity } from "../authentication/peer-identity.ts";
import type { Exchange } from "./exchange.ts";
import { Http1Exchange } from "./http1-exchange.ts";
import { Http2Exchange } from "./http2-exchange.ts";
import { CONCURRENT_STREAMS_MAX, HEADER_BYTES_MAX, SESSION_MEMORY_MB_MAX } from "./limits.ts";
import { UpgradeExchange } from "./upgrade-exchange.ts";

/** Options of {@link listenPlainly}. */
export interface PlainListenerOptions {
  readonly bindAddress: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Whom everybody who comes is taken for. */
  readonly peer: PeerIdentity;
  readonly onExchange: (exchange: Exchange) => void;
}

/** A listening socket that speaks HTTP/2 (with prior knowledge) and HTTP/1.1 without TLS. */
export interface PlainListener {
  readonly port: number;
  stopAccepting(): void;
  /** Ends every connection. */
  destroy(): Promise<void>;
}

/** What a client of HTTP/2 says first; no method of HTTP/1.1 begins so. */
const PREFACE = "PRI";

/** Starts to listen. Rejects when the address cannot be taken. Who comes is neither asked who it is nor hidden from others: for the loopback. */
export async function listenPlainly({ bindAddress, port, peer, onExchange }: PlainListenerOptions): Promise<PlainListener> {
  const http1 = createHttp1Server({ maxHeaderSize: HEADER_BYTES_MAX });
  const http2 = createHttp2Server({
    settings: { maxConcurrentStreams: CONCURRENT_STREAMS_MAX },
    maxSessionMemory: SESSION_MEMORY_MB_MAX,
  });
  http1.on("request", (request: IncomingMessage, response: ServerResponse) => {
    onExchange(new Http1Exchange(request, response, peer));
  });
  http1.on("upgrade", (message: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => {});
    onExchange(new UpgradeExchange(message, socket, head, peer));
  });
  http2.on("sessionError", () => {});
  http2.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, rawHeaders: string[]) => {
    onExchange(new Http2Exchange(stream, { headers, rawHeaders, flags }, peer));
  });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.once("readable", () => {
      const first = socket.read() as Buffer | null;
      if (first === null) return;
      socket.unshift(first);
      (first.subarray(0, PREFACE.length).toString("latin1") === PREFACE ? http2 : http1).emit("connection", socket);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, bindAddress, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
  server.on("error", () => {});
  return {
    port: (server.address() as AddressInfo).port,
    stopAccepting: () => void server.close(),
    destroy: async () => {
      const closed = new Promise<void>((resolve) => (server.listening ? server.close(() => resolve()) : resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
