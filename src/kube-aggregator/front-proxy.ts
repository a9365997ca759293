import type { IncomingMessage } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import type { ClientConnection } from "#apiserver/endpoints/client-connection.ts";
import type { ApiResponse } from "#apiserver/endpoints/response.ts";
import { backendHeaders } from "#apiserver/proxy/backend-headers.ts";
import { BackendTransport, hostPort, sendBody } from "#apiserver/proxy/backend-transport.ts";
import { forwardedUri, type ProxyRequest, proxyToBackend } from "#apiserver/proxy/upgrade-aware-proxy.ts";
import type { UserInfo } from "#apiserver/request/request-info.ts";
import { networkErrorText } from "#apiserver/webhook/network-error.ts";
import type { ServiceResolver } from "#apiserver/webhook/service-resolver.ts";
import type { Clock } from "#base/clock.ts";
import type { RemoteVersion } from "./api-service-index.ts";

/** Connections to one API server at once: each watch holds one. */
const CONNECTIONS_PER_SERVER_MAX = 2048;
/** Connections to all of them. */
const CONNECTIONS_MAX = 8192;
/** How long an unused connection is kept, in milliseconds. */
const IDLE_CONNECTION_MS = 90_000;

/** A request to an aggregated API server. */
export interface ProxiedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly user: UserInfo;
  /** Whole, or as it comes. */
  readonly body: Uint8Array | Readable;
  /** The client, where it is not in this process. */
  readonly connection?: ClientConnection;
  readonly signal?: AbortSignal;
  /** For the head of the answer, in milliseconds; unbounded when absent. */
  readonly timeoutMs?: number;
  /** The certificate is not looked at: for what is only asked whether it lives. */
  readonly unverified?: boolean;
}

/** The server could not be reached; the message is Go's. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}

export interface FrontProxyOptions {
  readonly clock: Clock;
  readonly resolver: ServiceResolver;
  /** What this server proves itself with. PEM. */
  readonly cert: string;
  readonly key: string;
}

/** Talks to aggregated API servers, telling them in headers who asks, with a client certificate that makes that credible. */
export class FrontProxy {
  readonly #options: FrontProxyOptions;
  readonly #agent = new Agent({
    keepAlive: true,
    maxSockets: CONNECTIONS_PER_SERVER_MAX,
    maxTotalSockets: CONNECTIONS_MAX,
    timeout: IDLE_CONNECTION_MS,
    scheduling: "lifo",
  });

  constructor(options: FrontProxyOptions) {
    this.#options = options;
  }

  /** Ends all connections. */
  close(): void {
    this.#agent.destroy();
  }

  /**
   * Joins a client that would rather speak another protocol with the server: its own connection, on which the server is told
   * who asks as in every request. Throws what the resolver throws, and StatusErrors.
   */
  upgrade(to: RemoteVersion, request: ProxyRequest, user: UserInfo): Promise<ApiResponse> {
    const { resolver, clock, cert, key } = this.#options;
    const { host, port } = resolver.resolve(to.namespace, to.service, to.port);
    const servername = `${to.service}.${to.namespace}.svc`;
    const tls = { ...(to.ca === undefined ? {} : { ca: to.ca }), cert, key, verify: !to.insecure, servername };
    return proxyToBackend(
      {
        location: { to: { scheme: "https", host, port }, path: request.path },
        transport: new BackendTransport({ clock, tls, proxyableOnly: false }),
        clock,
        rewrites: true,
        upgradeRequired: true,
        headers: { ...userHeaders(user), Host: hostPort({ host, port }) },
      },
      request,
    );
  }

  /** The head of the answer, whose body is still to come. Throws what the resolver throws, and an {@link UnreachableError}. */
  async send(to: RemoteVersion, request: ProxiedRequest): Promise<IncomingMessage> {
    const { resolver, clock, cert, key } = this.#options;
    const { host, port } = resolver.resolve(to.namespace, to.service, to.port);
    const deadline = new AbortController();
    const giveUp = (): void => deadline.abort();
    const timer = request.timeoutMs === undefined ? undefined : clock.setTimeout(giveUp, request.timeoutMs);
    request.signal?.addEventListener("abort", giveUp, { once: true });
    try {
      return await new Promise<IncomingMessage>((resolve, reject) => {
        const sent = httpsRequest({
          agent: this.#agent,
          method: request.method,
          host,
          port,
          path: request.url,
          servername: `${to.service}.${to.namespace}.svc`,
          cert,
          key,
          ...(to.ca === undefined ? {} : { ca: to.ca }),
          rejectUnauthorized: !(to.insecure || request.unverified === true),
          headers: { ...passedOn(request), Host: hostPort({ host, port }), ...userHeaders(request.user) },
          signal: deadline.signal,
        });
        sent.once("response", resolve);
        sent.once("error", reject);
        if (request.body instanceof Readable) sendBody(request.body, sent);
        else sent.end(request.body);
      });
    } catch (error) {
      throw new UnreachableError(deadline.signal.aborted ? "context deadline exceeded" : networkErrorText(error));
    } finally {
      timer?.clear();
      request.signal?.removeEventListener("abort", giveUp);
    }
  }
}

/** Neither headers of this hop nor credentials; where the server can be seen, and by whom it was asked. */
function passedOn({ headers, connection, url, body }: ProxiedRequest): Record<string, string | string[]> {
  const kept = backendHeaders({ headers, connection }, false);
  kept["X-Forwarded-Uri"] = forwardedUri("", url.split("?")[0] ?? "");
  if (body instanceof Readable) {
    if (kept["Content-Length"] === undefined) kept["Transfer-Encoding"] = "chunked";
    return kept;
  }
  delete kept["Content-Length"];
  if (body.byteLength > 0) kept["Content-Length"] = String(body.byteLength);
  return kept;
}

/** Upstream's `SetAuthProxyHeaders`. */
export function userHeaders(user: UserInfo): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { "x-remote-user": user.name };
  if (user.uid !== "") headers["x-remote-uid"] = user.uid;
  if (user.groups.length > 0) headers["x-remote-group"] = [...user.groups];
  for (const [key, values] of Object.entries(user.extra)) headers[`x-remote-extra-${headerKey(key)}`] = [...values];
  return headers;
}

/** Bytes that no header name may have, and `%` itself, are percent-encoded. */
function headerKey(key: string): string {
  let out = "";
  for (const byte of Buffer.from(key.toLowerCase())) {
    const char = String.fromCharCode(byte);
    out += /[!#$&'*+\-.^_`|~0-9a-z]/.test(char) ? char : `%${byte.toString(16).padStart(2, "0").toUpperCase()}`;
  }
  return out;
}
