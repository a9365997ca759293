import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { type AddressInfo, connect } from "node:net";
import type { Duplex } from "node:stream";
import type { NetworkDialer } from "#apiserver/proxy/network-dialer.ts";
import { realClock } from "#base/clock.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";

/** An HTTPS server of this machine that answers as a test wants, in the place of a kubelet. */
export class FakeKubelet {
  readonly #server: Server;
  /** What was asked: method and URL. */
  readonly requests: string[] = [];
  readonly headers: IncomingMessage["headers"][] = [];
  /** Sockets of upgraded connections. */
  readonly sockets: Set<Duplex> = new Set<Duplex>();
  onRequest: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => void response.end("fake\n");
  onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void = (_request, socket) => void socket.destroy();

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => {
      this.#note(request);
      this.onRequest(request, response);
    });
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#note(request);
      socket.on("error", () => {});
      this.sockets.add(socket);
      socket.once("close", () => this.sockets.delete(socket));
      this.onUpgrade(request, socket, head);
    });
  }

  static async start(): Promise<FakeKubelet> {
    const now = realClock.now();
    const ca = createAuthority("fake-kubelet-ca", now);
    const leaf = issueCertificate(ca, { commonName: "kubelet", usages: ["server"], hosts: ["fake-node"] }, now);
    const server = createServer({ cert: leaf.cert, key: leaf.key });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new FakeKubelet(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #note(request: IncomingMessage): void {
    this.requests.push(`${request.method} ${request.url}`);
    this.headers.push(request.headers);
  }
}

/** Leads hosts to ports of this machine. A host without a port refuses. */
export function networkOf(ports: ReadonlyMap<string, number>): NetworkDialer {
  return {
    reaches: (host) => ports.has(host),
    dial: (host) =>
      new Promise((resolve, reject) => {
        const socket = connect(ports.get(host) ?? 0, "127.0.0.1", () => resolve(socket));
        socket.once("error", reject);
      }),
  };
}
