import type { IncomingMessage } from "node:http";
import { Agent, request as httpsRequest, type RequestOptions } from "node:https";
import { posix } from "node:path";
import { genericServerResponse } from "#apimachinery/api-errors/errors.ts";
import { type Status, StatusError } from "#apimachinery/api-errors/status.ts";
import { parseExactJson } from "#apimachinery/schema/exact-json.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { Clock } from "#base/clock.ts";
import { hostPort, networkErrorText } from "./network-error.ts";
import type { ServiceAddress, ServiceResolver } from "./service-resolver.ts";
import { credentialsFor, type NamedCredentials } from "./webhook-credentials.ts";

/** Connections to one webhook at once; further calls wait, within their timeout. */
const CONNECTIONS_PER_WEBHOOK_MAX = 64;
/** Connections to all webhooks together. */
const CONNECTIONS_MAX = 1024;
/** Connections to one webhook that are kept for later calls: all, because a handshake costs more than ten calls. */
const IDLE_CONNECTIONS_PER_WEBHOOK_MAX: number = CONNECTIONS_PER_WEBHOOK_MAX;
/** How long an unused connection is kept, in milliseconds, as client-go's transport. */
const IDLE_CONNECTION_MS = 90_000;
/** Largest answer of a webhook, in bytes. */
const RESPONSE_BYTES_MAX: number = 16 * 1024 * 1024;
/** How much of an unreadable answer is told. */
const TOLD_BODY_BYTES_MAX = 2048;
const DEFAULT_PORT = 443;

/** Where a webhook is: `clientConfig` of a configuration. */
export interface WebhookAddress {
  readonly url?: string;
  readonly service?: {
    readonly namespace?: string;
    readonly name?: string;
    readonly path?: string;
    readonly port?: number;
  };
  /** Base64 of PEM; the system's authorities when empty. */
  readonly caBundle?: string;
}

/** A call could not be made, or its answer is none. The message is Go's. */
export class WebhookCallError extends Error {
  override readonly name = "WebhookCallError";
}

export interface WebhookCall {
  readonly address: WebhookAddress;
  readonly body: string;
  readonly timeoutMs: number;
  /** Ends the call when the client of the request is gone. */
  readonly signal: AbortSignal;
  /** Who calls, by whom it calls. Absent: nobody. */
  readonly credentials?: NamedCredentials;
}

interface Target {
  /** As shown in messages. */
  readonly url: string;
  readonly options: RequestOptions;
}

/**
 * Posts JSON to webhooks over TLS and HTTP/1.1, with pooled connections (upstream's `webhook.ClientManager`).
 * Every call is bounded in time, and every answer in size.
 */
export class WebhookClient {
  readonly #clock: Clock;
  readonly #resolver: ServiceResolver;
  readonly #agent = new Agent({
    keepAlive: true,
    maxSockets: CONNECTIONS_PER_WEBHOOK_MAX,
    maxTotalSockets: CONNECTIONS_MAX,
    maxFreeSockets: IDLE_CONNECTIONS_PER_WEBHOOK_MAX,
    timeout: IDLE_CONNECTION_MS,
    scheduling: "lifo",
  });

  constructor(clock: Clock, resolver: ServiceResolver) {
    this.#clock = clock;
    this.#resolver = resolver;
  }

  /** Ends all connections. */
  close(): void {
    this.#agent.destroy();
  }

  /** What the webhook answered. Throws a {@link WebhookCallError}, or a StatusError where the webhook answered with a failure. */
  async post(call: WebhookCall): Promise<unknown> {
    const query = `?timeout=${Math.ceil(call.timeoutMs / 1000)}s`;
    const shown = shownUrl(call.address);
    const failed = (text: string): WebhookCallError => new WebhookCallError(`Post ${goQuote(`${shown}${query}`)}: ${text}`);
    let target: Target;
    try {
      target = this.#target(call, shown, query);
    } catch (error) {
      throw failed(error instanceof Error ? error.message : String(error));
    }
    const deadline = new AbortController();
    const timer = this.#clock.setTimeout(() => deadline.abort(), call.timeoutMs);
    const giveUp = (): void => deadline.abort();
    call.signal.addEventListener("abort", giveUp, { once: true });
    try {
      const { status, body } = await this.#send(target, call.body, deadline.signal);
      return parseAnswer(status, body);
    } catch (error) {
      if (error instanceof StatusError || error instanceof WebhookCallError) throw error;
      if (call.signal.aborted) throw failed("context canceled");
      throw failed(deadline.signal.aborted ? "context deadline exceeded" : networkErrorText(error));
    } finally {
      timer.clear();
      call.signal.removeEventListener("abort", giveUp);
    }
  }

  #target({ address, credentials }: WebhookCall, url: string, query: string): Target {
    const parsed = new URL(url);
    const { service } = address;
    const port = parsed.port === "" ? DEFAULT_PORT : Number(parsed.port);
    const shown = credentials && credentialsFor(credentials, `${parsed.hostname}:${port}`);
    let to: ServiceAddress = { host: parsed.hostname.replace(/^\[|\]$/g, ""), port };
    if (service) to = this.#resolver.resolve(service.namespace ?? "", service.name ?? "", port);
    const ca = address.caBundle ? Buffer.from(address.caBundle, "base64").toString("utf8") : undefined;
    return {
      url,
      options: {
        agent: this.#agent,
        method: "POST",
        host: to.host,
        port: to.port,
        path: `${parsed.pathname}${query}`,
        ...(service ? { servername: parsed.hostname } : {}),
        ...(ca === undefined ? {} : { ca }),
        ...(shown?.cert === undefined ? {} : { cert: shown.cert }),
        ...(shown?.key === undefined ? {} : { key: shown.key }),
        headers: {
          ...shown?.headers,
          host: service ? hostPort(parsed.hostname, port) : parsed.host,
          accept: "application/json, */*",
          "content-type": "application/json",
          "user-agent": "kube-apiserver-admission",
        },
      },
    };
  }

  async #send(target: Target, body: string, signal: AbortSignal): Promise<{ status: number; body: string }> {
    for (let attempt = 1; ; attempt++) {
      const sent = httpsRequest({ ...target.options, signal });
      try {
        const response = await new Promise<IncomingMessage>((resolve, reject) => {
          sent.once("response", resolve);
          sent.once("error", reject);
          sent.end(body);
        });
        return { status: response.statusCode ?? 0, body: await readAnswer(response) };
      } catch (error) {
        // The webhook may close a kept connection in the very moment in which it is used again.
        const stale = sent.reusedSocket && (error as NodeJS.ErrnoException).code === "ECONNRESET";
        if (!stale || signal.aborted || attempt > IDLE_CONNECTIONS_PER_WEBHOOK_MAX) throw error;
      }
    }
  }
}

function shownUrl({ url, service }: WebhookAddress): string {
  if (service) {
    const port = service.port ?? DEFAULT_PORT;
    return `https://${service.name ?? ""}.${service.namespace ?? ""}.svc:${port}${rooted(service.path ?? "")}`;
  }
  const { protocol, host, pathname } = new URL(url ?? "");
  return `${protocol}//${host}${rooted(pathname)}`;
}

function rooted(path: string): string {
  const joined = posix.join("/", path);
  return joined.length > 1 && joined.endsWith("/") ? joined.slice(0, -1) : joined;
}

async function readAnswer(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    size += (chunk as Buffer).length;
    if (size > RESPONSE_BYTES_MAX) {
      response.destroy();
      throw new WebhookCallError(`the response is larger than ${RESPONSE_BYTES_MAX} bytes`);
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** As client-go's `transformResponse`: a failure is a Status of its own, or made from the HTTP code. */
function parseAnswer(status: number, body: string): unknown {
  const parsed = tryJson(body);
  if (isStatus(parsed) && parsed.status !== "Success") throw new StatusError(parsed);
  if (status < 200 || status > 206) {
    const serverMessage = body === "" ? "unknown" : body.trim().slice(0, TOLD_BODY_BYTES_MAX);
    throw genericServerResponse({ code: status, verb: "POST", resource: { group: "", resource: "" }, name: "", serverMessage });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new WebhookCallError("couldn't get version/kind; json parse error: the answer is no JSON object");
  }
  return parsed;
}

function tryJson(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}

function isStatus(value: unknown): value is Status {
  return (
    typeof value === "object" && value !== null && (value as Status).kind === "Status" && (value as Status).apiVersion === "v1"
  );
}
