import { type IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { Duplex } from "node:stream";
import type { SecureContextOptions, TlsOptions } from "node:tls";
import type { Clock } from "#base/clock.ts";
import { sendText } from "./answer.ts";
import { checkpoint } from "./checkpoint.ts";
import { configz } from "./configz.ts";
import { containerLogs } from "./container-logs.ts";
import { disabledAnswer } from "./disabled.ts";
import { health } from "./health.ts";
import type { KubeletAuth } from "./kubelet-auth.ts";
import type { KubeletHost } from "./kubelet-host.ts";
import { listen } from "./listen.ts";
import { metrics } from "./metrics.ts";
import { nodeLogs } from "./node-logs.ts";
import { pods } from "./pods.ts";
import { profiles } from "./profiles.ts";
import { requestAttributes } from "./request-attributes.ts";
import { findRoute, type KubeletCall, type KubeletRoute } from "./routes.ts";
import { run } from "./run.ts";
import { statsSummary } from "./stats-summary.ts";
import { streams } from "./streams.ts";

/** What a kubelet's server proves itself with, and whose clients it believes. PEM texts. */
export interface KubeletTls {
  /** Empty while there is none: every handshake fails then. */
  readonly cert: string;
  readonly key: string;
  /** Empty: no certificates of clients are asked for. */
  readonly clientCa: string;
  /** Older versions are refused; TLS 1.2 when absent. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  /** OpenSSL's names with colons between them; its own choice when absent. */
  readonly ciphers?: string;
}

/** What a {@link KubeletServer} is made of. */
export interface KubeletServerModules {
  readonly host: KubeletHost;
  readonly auth: KubeletAuth;
  readonly clock: Clock;
}

const ROUTES: readonly KubeletRoute[] = [
  ...health,
  ...pods,
  statsSummary,
  ...metrics,
  checkpoint,
  ...run,
  ...streams,
  containerLogs,
  configz,
  ...nodeLogs,
  ...profiles,
];

/**
 * The kubelet's own API, over TLS (upstream's `pkg/kubelet/server`): everybody has to say who they are, and needs a
 * right for each request. It listens nowhere by itself: connections are handed to it, or it is told to listen.
 */
export class KubeletServer {
  readonly #modules: KubeletServerModules;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();

  constructor(modules: KubeletServerModules, tls: KubeletTls) {
    this.#modules = modules;
    this.#server = createServer(optionsOf(tls), (request, response) => void this.#answer(request, response, undefined));
    this.#server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      void this.#upgrade(request, socket, head);
    });
    this.#server.on("tlsClientError", (_error, socket) => socket.destroy());
    this.#server.on("connection", (socket: Duplex) => this.#keep(socket));
  }

  /** Serves a connection before its encryption. */
  accept(socket: Duplex): void {
    this.#server.emit("connection", socket);
  }

  /** Listens on an address; gives the port, which is a free one for 0. Rejects with the system's error. */
  listen(address: string, port: number): Promise<number> {
    return listen(this.#server, address, port);
  }

  /** New connections see another certificate and other authorities. */
  useTls(tls: KubeletTls): void {
    this.#server.setSecureContext(optionsOf(tls));
  }

  /** Ends all connections. */
  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #keep(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => this.#sockets.delete(socket));
  }

  /** A request that wants another protocol is answered as any other until both have agreed. */
  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as never);
    response.once("finish", () => socket.end());
    socket.on("error", () => undefined);
    await this.#answer(request, response, { socket, head });
  }

  async #answer(request: IncomingMessage, response: ServerResponse, upgrade: KubeletCall["upgrade"]): Promise<void> {
    const { host, clock } = this.#modules;
    const beganMs = clock.elapsed();
    const answered = host.metrics?.request(request.method ?? "", request.url?.split("?")[0] ?? "", "readwrite");
    try {
      await this.#serve(request, response, upgrade);
    } catch (error) {
      if (!response.headersSent) sendText(response, 500, error instanceof Error ? error.message : String(error));
      else response.destroy();
    } finally {
      answered?.((clock.elapsed() - beganMs) / 1000);
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse, upgrade: KubeletCall["upgrade"]): Promise<void> {
    const { host, clock } = this.#modules;
    const url = new URL(request.url ?? "/", "https://node");
    if (!(await this.#isAllowed(request, response, url.pathname))) return;
    await serveRoute(ROUTES, { host, clock, request, response, url, upgrade });
  }

  async #isAllowed(request: IncomingMessage, response: ServerResponse, path: string): Promise<boolean> {
    const { auth, host } = this.#modules;
    const user = await auth.authenticate(request).catch(() => undefined);
    if (user === undefined) {
      sendText(response, 401, "Unauthorized");
      return false;
    }
    const { verb, subresources } = requestAttributes(request.method ?? "", path);
    for (const subresource of subresources) {
      const who = `user=${user.name}, verb=${verb}, resource=nodes, subresource=${subresource}`;
      const allowed = await auth.isAllowed(user, verb, host.nodeName, subresource).catch(() => undefined);
      if (allowed === undefined) sendText(response, 500, `Authorization error (${who})`);
      if (allowed !== false) return allowed === true;
    }
    const all = `subresource(s)=[${subresources.join(" ")}]`;
    sendText(response, 403, `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, ${all})\n`);
    return false;
  }
}

/** A request whose sender may have the answer. */
export interface AllowedRequest extends Pick<KubeletCall, "host" | "clock" | "request" | "response" | "upgrade"> {
  readonly url: URL;
}

/** Answers a request by the route of its path, or says that there is none. */
export async function serveRoute(routes: readonly KubeletRoute[], allowed: AllowedRequest): Promise<void> {
  const { host, clock, request, response, url, upgrade } = allowed;
  const path = url.pathname;
  const disabled = disabledAnswer(path, host.configuration);
  const found = findRoute(routes, path);
  if (disabled !== undefined) {
    sendText(response, 405, disabled);
    return;
  }
  if (found === undefined) {
    sendText(response, 404, "404: Page Not Found");
    return;
  }
  const { route, parameters } = found;
  if (!route.methods.includes(request.method ?? "")) {
    const isReadOnly = route.methods.length === 1 && route.methods[0] === "GET";
    const allow = { allow: route.methods.join(", ") };
    sendText(response, 405, isReadOnly ? "Method Not Allowed" : "405: Method Not Allowed", allow);
    return;
  }
  const detached = upgrade === undefined ? undefined : detachedOnce(response, upgrade);
  await route.serve({ host, clock, request, path, query: url.searchParams, parameters, response, upgrade: detached });
}

function optionsOf({ cert, key, clientCa, minVersion = "TLSv1.2", ciphers }: KubeletTls): TlsOptions & SecureContextOptions {
  const clients = clientCa === "" ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false };
  const own = cert === "" ? {} : { cert, key };
  return { ...own, minVersion, ...clients, ...(ciphers === undefined ? {} : { ciphers }) };
}

/** Gives the connection away when it is asked for: from then on no answer is written to it. */
function detachedOnce(
  response: ServerResponse,
  upgrade: NonNullable<KubeletCall["upgrade"]>,
): NonNullable<KubeletCall["upgrade"]> {
  const { socket, head } = upgrade;
  return {
    head,
    get socket() {
      response.detachSocket(socket as never);
      return socket;
    },
  };
}
