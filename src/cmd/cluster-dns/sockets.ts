import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import type { EventEmitter } from "node:events";
import { createConnection, createServer } from "node:net";
import { framed, TcpFrames } from "#cluster-dns/server/tcp-frames.ts";
import type { DnsListener, DnsSockets, Upstream } from "#cluster-dns/sockets.ts";

/** What the kernel holds of queries that were not read yet, in bytes: bursts of pods that start are some thousands. */
const RECEIVE_BYTES = 1024 * 1024;
/** Connections that wait to be accepted. */
const BACKLOG = 256;
const ANSWER_BYTES_MAX = 65_535;

/** This machine's network. */
export const dnsSockets: DnsSockets = { listenUdp, listenTcp, exchange };

async function listenUdp(
  address: string,
  port: number,
  onDatagram: Parameters<DnsSockets["listenUdp"]>[2],
): Promise<DnsListener> {
  const socket = createSocket({ type: typeOf(address) });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeListener("error", reject);
      resolve();
    });
  });
  // What cannot be sent is lost, as datagrams may be.
  socket.on("error", () => {});
  try {
    socket.setRecvBufferSize(RECEIVE_BYTES);
  } catch {
    // The kernel gives what it gives.
  }
  let isOpen = true;
  socket.on("message", (bytes: Buffer, { address: from, port: fromPort }: RemoteInfo) => {
    if (fromPort === 0) return;
    onDatagram(bytes, { address: from, port: fromPort }, (answer) => {
      if (isOpen) socket.send(answer, fromPort, from, () => {});
    });
  });
  const close = (): Promise<void> => {
    isOpen = false;
    return new Promise((resolve) => socket.close(() => resolve()));
  };
  return { port: socket.address().port, close };
}

async function listenTcp(
  address: string,
  port: number,
  onConnection: Parameters<DnsSockets["listenTcp"]>[2],
): Promise<DnsListener> {
  const open = new Set<{ destroy(): void }>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    onConnection(socket, { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port, backlog: BACKLOG, exclusive: true }, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
  const bound = server.address();
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of open) socket.destroy();
    });
  return { port: typeof bound === "object" && bound !== null ? bound.port : port, close };
}

/** What takes one of the answers that come: undefined while there is none that will do. */
type Accept<T> = (answer: Buffer) => T | undefined;

async function exchange<T>(
  protocol: "udp" | "tcp",
  upstream: Upstream,
  message: Buffer,
  accept: Accept<T>,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  return protocol === "udp" ? overUdp(upstream, message, accept, signal) : overTcp(upstream, message, accept, signal);
}

/** A socket and so a port for each: who guesses answers has to guess that too. */
function overUdp<T>({ address, port }: Upstream, message: Buffer, accept: Accept<T>, signal: AbortSignal): Promise<T> {
  const socket: Socket = createSocket({ type: typeOf(address) });
  // Once connected, the kernel passes on what that server sends alone.
  socket.connect(port, address, () => socket.send(message));
  return untilAccepted(
    socket,
    () => socket.close(),
    signal,
    (take) => {
      socket.on("message", (bytes) => take(accept(bytes)));
    },
  );
}

function overTcp<T>({ address, port }: Upstream, message: Buffer, accept: Accept<T>, signal: AbortSignal): Promise<T> {
  const socket = createConnection({ host: address, port, noDelay: true });
  const frames = new TcpFrames(ANSWER_BYTES_MAX);
  socket.on("connect", () => socket.write(framed(message)));
  return untilAccepted(
    socket,
    () => socket.destroy(),
    signal,
    (take, fail) => {
      socket.on("close", () => fail(new Error("the connection was closed before an answer came")));
      socket.on("data", (chunk) => {
        for (const bytes of frames.push(chunk) ?? []) if (take(accept(bytes))) return;
      });
    },
  );
}

/** Follows a socket until an answer is taken, which `take` says, it fails, or the signal is aborted; and closes it then. */
function untilAccepted<T>(
  socket: EventEmitter,
  close: () => void,
  signal: AbortSignal,
  follow: (take: (answer: T | undefined) => boolean, fail: (error: unknown) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      signal.removeEventListener("abort", onAbort);
      socket.removeAllListeners();
      // What still comes in while it closes is of no interest.
      socket.on("error", () => {});
      close();
    };
    const fail = (error: unknown): void => {
      end();
      reject(error);
    };
    const onAbort = (): void => fail(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    socket.on("error", fail);
    follow((answer) => {
      if (answer === undefined) return false;
      end();
      resolve(answer);
      return true;
    }, fail);
  });
}

function typeOf(address: string): "udp4" | "udp6" {
  return address.includes(":") ? "udp6" : "udp4";
}
