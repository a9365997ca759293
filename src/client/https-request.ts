import * as http from "node:http";
import * as https from "node:https";
import type { Clock } from "#base/clock.ts";

/** How a server is trusted, and what is shown to it. PEM texts; the machine's authorities when `ca` is absent. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** One request over HTTP/1.1. */
export interface WebRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds until it fails. */
  readonly timeoutMs: number;
}

/** The whole answer. */
export interface WebResponse {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** Largest answer that is read, in bytes. */
const RESPONSE_BYTES_MAX: number = 8 * 1024 * 1024;
/** Connections to one server at once; more requests wait. */
const CONNECTIONS_MAX = 32;

/** Sends requests to servers that are configured by URL, with connections that are kept. Redirects are not followed. */
export class WebCaller {
  readonly #clock: Clock;
  readonly #secure: https.Agent;
  readonly #plain = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX });

  constructor(clock: Clock, material: TlsMaterial = {}) {
    this.#clock = clock;
    this.#secure = new https.Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX, minVersion: "TLSv1.2", ...material });
  }

  /** Rejects when there is no answer in time, or too large a one. */
  send(request: WebRequest): Promise<WebResponse> {
    const isPlain = request.url.startsWith("http:");
    const ending = new AbortController();
    const timeout = new Error(`no answer of ${new URL(request.url).host} within ${request.timeoutMs} ms`);
    const timer = this.#clock.setTimeout(() => ending.abort(timeout), request.timeoutMs, { unref: true });
    const options: https.RequestOptions = {
      method: request.method,
      headers: { ...request.headers },
      agent: isPlain ? this.#plain : this.#secure,
      signal: ending.signal,
    };
    return new Promise<WebResponse>((resolve, reject) => {
      const fail = (error: Error): void => reject(ending.signal.aborted ? timeout : error);
      const sent = (isPlain ? http : https).request(request.url, options, (response) => {
        readText(response).then((body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }), fail);
      });
      sent.on("error", fail);
      sent.end(request.body);
    }).finally(() => timer.clear());
  }

  /** Ends all connections. */
  close(): void {
    this.#secure.destroy();
    this.#plain.destroy();
  }
}

async function readText(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.byteLength;
    if (length > RESPONSE_BYTES_MAX) throw new Error(`the answer has more than ${RESPONSE_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
