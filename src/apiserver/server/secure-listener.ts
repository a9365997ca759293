import type { IncomingMessage, ServerResponse } from "node:http";
import {
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createSecureContext, type DetailedPeerCertificate, type TLSSocket } from "node:tls";
import type { Clock } from "#base/clock.ts";
import { endSessions } from "#base/end-session.ts";
import type { PeerIdentity } from "../authentication/peer-identity.ts";
import type { Exchange } from "./exchange.ts";
import { Http1Exchange } from "./http1-exchange.ts";
import { Http2Exchange } from "./http2-exchange.ts";
import { CONNECTIONS_MAX, HEAD_TIMEOUT_MS, HEADER_BYTES_MAX, IDLE_CONNECTION_MS, SESSION_MEMORY_MB_MAX } from "./limits.ts";
import { type NamedCertificate, namedContexts } from "./named-certificates.ts";
import { DEFAULT_SERVING, type ServingOptions } from "./serving-options.ts";
import { SessionGuard } from "./session-guard.ts";
import { UnreadableRequests } from "./unreadable-requests.ts";
import { UpgradeExchange } from "./upgrade-exchange.ts";

export interface SecureListenerOptions {
  readonly clock: Clock;
  readonly bindAddress: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** PEM texts. */
  readonly cert: string;
  readonly key: string;
  /** Shown in place of that to who asks for their names. */
  readonly named?: readonly NamedCertificate[];
  /** Authorities of client certificates. */
  readonly clientCa: readonly string[];
  /** Who is at the other end. `certificate` leads up to its authority; `isTrusted` says that one of them is ours. */
  readonly identify: (certificate: DetailedPeerCertificate, isTrusted: boolean) => PeerIdentity;
  readonly serving?: Pick<ServingOptions, "tlsMinVersion" | "tlsCiphers" | "streamsPerConnectionMax">;
  /** How long a handshake, or the head of a request over HTTP/1.1, may take. Default: as upstream. */
  readonly headTimeoutMs?: number;
  readonly onExchange: (exchange: Exchange) => void;
}

/** A listening socket that speaks HTTP/2 and HTTP/1.1 over TLS. */
export interface SecureListener {
  readonly port: number;
  /**
   * Shows other certificates to who connects from now on, and takes those of other authorities. Connections go on; who came
   * by a certificate of an authority that is no more is nobody. Throws, and changes nothing, where a certificate and its key
   * do not go together.
   */
  useCertificates(certificates: Pick<SecureListenerOptions, "cert" | "key" | "named" | "clientCa" | "identify">): void;
  /** Stops accepting, and asks HTTP/2 clients to go away when their streams have ended. */
  stopAccepting(): void;
  /** Ends every connection. */
  destroy(): Promise<void>;
}

/** Starts to listen. Rejects when the address cannot be taken. */
export async function listenSecurely(options: SecureListenerOptions): Promise<SecureListener> {
  const { headTimeoutMs = HEAD_TIMEOUT_MS, serving = DEFAULT_SERVING } = options;
  const tls = { minVersion: serving.tlsMinVersion, ...(serving.tlsCiphers === "" ? {} : { ciphers: serving.tlsCiphers }) };
  let contextOf = namedContexts(options.named ?? [], { ...tls, ca: [...options.clientCa] });
  const server = createSecureServer({
    allowHTTP1: true,
    SNICallback: (name, done) => done(null, contextOf(name)),
    cert: options.cert,
    key: options.key,
    ca: [...options.clientCa],
    requestCert: true,
    rejectUnauthorized: false,
    ...tls,
    settings: { maxConcurrentStreams: serving.streamsPerConnectionMax },
    maxSessionMemory: SESSION_MEMORY_MB_MAX,
    handshakeTimeout: headTimeoutMs,
  });
  // Node's code of HTTP/1.1 asks the server for them; the options of HTTP/2 servers do not know them.
  const http1 = { maxHeaderSize: HEADER_BYTES_MAX, headersTimeout: headTimeoutMs, keepAliveTimeout: IDLE_CONNECTION_MS };
  Object.assign(server, { ...http1, connectionsCheckingInterval: headTimeoutMs / 4, maxConnections: CONNECTIONS_MAX });
  const guard = new SessionGuard(options.clock);
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  const peers = new WeakMap<object, { readonly identity: PeerIdentity; readonly by: SecureListenerOptions["identify"] }>();
  let { identify } = options;
  const remember = (owner: object, socket: TLSSocket): PeerIdentity | undefined => {
    const certificate = socket.getPeerCertificate(true);
    // Without one there is an empty object.
    if (certificate?.raw === undefined) return undefined;
    const identity = identify(certificate, socket.authorized);
    peers.set(owner, { identity, by: identify });
    return identity;
  };
  const peerOf = (owner: object, socket: TLSSocket): PeerIdentity | undefined => {
    const known = peers.get(owner);
    return known === undefined || known.by === identify ? known?.identity : remember(owner, socket);
  };
  server.on("connection", (socket: Socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    socket.on("error", () => {});
    remember(socket, socket);
  });
  server.on("session", (session: ServerHttp2Session) => {
    session.on("error", () => {});
    sessions.add(session);
    guard.add(session);
    session.on("close", () => sessions.delete(session));
    remember(session, session.socket as TLSSocket);
  });
  server.on("tlsClientError", () => {});
  const unreadable = new UnreadableRequests(options.clock);
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => unreadable.refuse(error, socket));
  // Adding a request listener makes Node answer HTTP/2 through its compatibility layer too: that one is taken out again.
  server.on("request", (request: unknown, response: unknown) => {
    const message = request as IncomingMessage;
    options.onExchange(
      new Http1Exchange(message, response as ServerResponse, peerOf(message.socket, message.socket as TLSSocket)),
    );
  });
  server.on("upgrade", (message: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => {});
    options.onExchange(new UpgradeExchange(message, socket, head, peerOf(message.socket, message.socket as TLSSocket)));
  });
  server.removeAllListeners("stream");
  server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, rawHeaders: string[]) => {
    const peer = stream.session ? peerOf(stream.session, stream.session.socket as TLSSocket) : undefined;
    options.onExchange(new Http2Exchange(stream, { headers, rawHeaders, flags }, peer));
  });
  await listen(server, options);
  server.on("error", () => {});
  return {
    port: (server.address() as AddressInfo).port,
    useCertificates: (next) => {
      const shared = { ...tls, ca: [...next.clientCa] };
      // Node's server would be left with half of what it cannot use.
      createSecureContext({ ...shared, cert: next.cert, key: next.key });
      contextOf = namedContexts(next.named ?? [], shared);
      server.setSecureContext({ ...shared, cert: next.cert, key: next.key });
      identify = next.identify;
    },
    stopAccepting: () => {
      server.close();
      for (const session of sessions) session.close();
    },
    destroy: async () => {
      guard.stop();
      const closed = new Promise<void>((resolve) => (server.listening ? server.close(() => resolve()) : resolve()));
      await endSessions(sessions);
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function listen(server: Http2SecureServer, options: SecureListenerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.bindAddress, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}
