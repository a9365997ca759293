import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Duplex } from "node:stream";
import type { PodPort } from "./hooks.ts";

/** How long a connection may be silent, in milliseconds; a server of its own for each pod would cost too much. */
const KEEP_ALIVE_TIMEOUT_MS = 60_000;

/** The HTTP server that stands behind the ports of all simulated pods: a page that names the pod and the request. */
export class PodServer {
  readonly #ports = new WeakMap<object, PodPort>();
  readonly #connections = new Set<Duplex>();
  #server: Server | undefined;

  /** Serves a connection to a pod's port. */
  accept(connection: Duplex, port: PodPort): void {
    this.#server ??= this.#create();
    this.#ports.set(connection, port);
    this.#connections.add(connection);
    connection.on("error", () => undefined);
    connection.once("close", () => this.#connections.delete(connection));
    this.#server.emit("connection", connection);
  }

  close(): void {
    this.#server?.close();
    for (const connection of this.#connections) connection.destroy();
  }

  #create(): Server {
    const server = createServer((request, response) => {
      const { namespace = "", pod = "", ip = "", port = 0 } = this.#ports.get(request.socket) ?? {};
      const page = pageOf(request, { namespace, pod, ip, port });
      request.resume();
      response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
      response.end(request.method === "HEAD" ? undefined : page);
    });
    server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
    return server;
  }
}

function pageOf({ method, url, httpVersion }: IncomingMessage, { namespace, pod, ip, port }: PodPort): string {
  return [
    "Answered by a simulated pod of Kybern.",
    `pod: ${namespace}/${pod}`,
    `address: ${ip}:${port}`,
    `request: ${method} ${url} HTTP/${httpVersion}`,
    "",
  ].join("\n");
}
