import type { IncomingMessage } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
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

/** Headers that are for one hop only, or say who asks: the next server hears of that from this one alone. */
const NOT_PASSED_ON = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "te",
  "trailer",
  "upgrade",
  "host",
  "content-length",
  "authorization",
  "http2-settings",
  "x-remote-user",
  "x-remote-uid",
  "x-remote-group",
]);

/** A request to an aggregated API server. */
export interface ProxiedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly user: UserInfo;
  readonly body: Uint8Array;
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
          headers: { ...passedOn(request), host: `${host}:${port}`, ...userHeaders(request.user) },
          signal: deadline.signal,
        });
        sent.once("response", resolve);
        sent.once("error", reject);
        sent.end(request.body);
      });
    } catch (error) {
      throw new UnreachableError(deadline.signal.aborted ? "context deadline exceeded" : networkErrorText(error));
    } finally {
      timer?.clear();
      request.signal?.removeEventListener("abort", giveUp);
    }
  }
}

function passedOn({ headers, body }: ProxiedRequest): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(":") || NOT_PASSED_ON.has(name)) continue;
    if (name.startsWith("x-remote-extra-") || name.startsWith("impersonate-")) continue;
    kept[name] = typeof value === "string" ? value : [...value];
  }
  if (body.byteLength > 0) kept["content-length"] = String(body.byteLength);
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
