import { once } from "node:events";
import type * as http2 from "node:http2";
import { type Status, StatusError } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { Clock } from "#base/clock.ts";
import type {
  ApiList,
  Client,
  DeleteRequest,
  ListOptions,
  PatchType,
  ResourceId,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from "./client.ts";
import { FirstProof } from "./first-proof.ts";
import { Http2Pool, type ServerAddress } from "./http2-pool.ts";
import { deleteBody, listQuery, resourcePath, writeQuery } from "./resource-path.ts";

/** Options of {@link createRestClient}. */
export interface RestClientOptions extends ServerAddress {
  readonly token?: string;
  /** Whether {@link RestClient.useCertificate} is still to say who asks: requests wait for it, as long as for an answer. */
  readonly awaitsCertificate?: boolean;
  /** `name/version`; the part before `/` becomes the field manager. */
  readonly userAgent: string;
  readonly clock: Clock;
  /** Milliseconds until a request that is no watch fails; 60 s when absent. */
  readonly timeoutMs?: number;
}

/** A {@link Client} that owns connections. */
export interface RestClient extends Client {
  /** Proves who asks with another certificate from now on, instead of the one before or a token. PEM. */
  useCertificate(pair: { readonly cert: string; readonly key: string }): void;
  /** Shows another token from now on. */
  useToken(token: string): void;
  /** Ends every request and watch. */
  close(): void;
}

const REQUEST_TIMEOUT_MS = 60_000;
/** How often a request is sent again that a server has surely not looked at, as Go's transport does. */
const REFUSED_TRIES_MAX = 6;

interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly mayBeSent?: (() => boolean) | undefined;
}

/** The API over HTTPS (HTTP/2, JSON). */
export function createRestClient(options: RestClientOptions): RestClient {
  return new HttpsRestClient(options);
}

class HttpsRestClient implements RestClient {
  readonly #pool: Http2Pool;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #proof: FirstProof;
  /** Of every request. */
  #headers: http2.OutgoingHttpHeaders;

  constructor(options: RestClientOptions) {
    this.#pool = new Http2Pool(options, options.clock);
    this.#clock = options.clock;
    this.#timeoutMs = options.timeoutMs ?? REQUEST_TIMEOUT_MS;
    this.#proof = new FirstProof(options.clock, options.awaitsCertificate !== true);
    this.#headers = {
      ":authority": new URL(options.server).host,
      accept: "application/json",
      "user-agent": options.userAgent,
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
    };
  }

  get<T extends object = ApiObject>(id: ResourceId, namespace: string, name: string): Promise<T> {
    return this.#send({ method: "GET", path: resourcePath(id, namespace, name) });
  }

  async list<T extends object = ApiObject>(id: ResourceId, namespace: string, options: ListOptions = {}): Promise<ApiList<T>> {
    const path = resourcePath(id, namespace) + listQuery(options);
    const answer = await this.#send<ApiList<T>>({ method: "GET", path });
    return answer.items === null ? { ...answer, items: [] } : answer;
  }

  async *watch<T extends object = ApiObject>(
    id: ResourceId,
    namespace: string,
    options: WatchOptions,
  ): AsyncGenerator<readonly WatchEvent<T>[], void, void> {
    const { signal } = options;
    await this.#proof.awaited(this.#timeoutMs, signal);
    if (signal.aborted) return;
    const stream = this.#open({ method: "GET", path: resourcePath(id, namespace) + watchQuery(options) });
    const cancel = (): void => stream.close(CANCEL);
    signal.addEventListener("abort", cancel, { once: true });
    try {
      const { status, contentType } = await responseHead(stream);
      if (status !== 200) parseAnswer(status, contentType, await readText(stream));
      yield* readEvents<T>(stream);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    } finally {
      signal.removeEventListener("abort", cancel);
      if (!stream.closed) stream.close(CANCEL);
    }
  }

  create<T extends object = ApiObject>(
    id: ResourceId,
    namespace: string,
    object: T,
    options: WriteOptions & { name?: string } = {},
  ): Promise<T> {
    const path = resourcePath(id, namespace, options.name, options.subresource) + writeQuery(options);
    return this.#send({ method: "POST", path, body: object, mayBeSent: options.mayBeSent });
  }

  update<T extends object = ApiObject>(
    id: ResourceId,
    namespace: string,
    name: string,
    object: T,
    options: WriteOptions = {},
  ): Promise<T> {
    const path = resourcePath(id, namespace, name, options.subresource) + writeQuery(options);
    return this.#send({ method: "PUT", path, body: object, mayBeSent: options.mayBeSent });
  }

  patch<T extends object = ApiObject>(
    id: ResourceId,
    namespace: string,
    name: string,
    type: PatchType,
    patch: unknown,
    options: WriteOptions = {},
  ): Promise<T> {
    const path = resourcePath(id, namespace, name, options.subresource) + writeQuery(options);
    return this.#send({ method: "PATCH", path, body: patch, contentType: type, mayBeSent: options.mayBeSent });
  }

  async delete(id: ResourceId, namespace: string, name: string, options: DeleteRequest = {}): Promise<void> {
    const path = resourcePath(id, namespace, name);
    await this.#send({ method: "DELETE", path, body: deleteBody(options), mayBeSent: options.mayBeSent });
  }

  async deleteCollection(id: ResourceId, namespace: string, options: ListOptions & DeleteRequest = {}): Promise<void> {
    const path = resourcePath(id, namespace) + listQuery(options);
    await this.#send({ method: "DELETE", path, body: deleteBody(options), mayBeSent: options.mayBeSent });
  }

  raw(path: string): Promise<unknown> {
    return this.#send({ method: "GET", path });
  }

  useCertificate(pair: { readonly cert: string; readonly key: string }): void {
    const { authorization: _, ...headers } = this.#headers;
    this.#headers = headers;
    this.#pool.useCertificate(pair);
    this.#proof.arrived();
  }

  useToken(token: string): void {
    this.#headers = { ...this.#headers, authorization: `Bearer ${token}` };
  }

  close(): void {
    this.#proof.close();
    this.#pool.close();
  }

  #open({ method, path, body, contentType = "application/json" }: HttpRequest): http2.ClientHttp2Stream {
    const head = { ":method": method, ":path": path, ...this.#headers };
    if (body === undefined) return this.#pool.request(head, undefined);
    return this.#pool.request({ ...head, "content-type": contentType }, JSON.stringify(body));
  }

  /** What the answer's type is, the caller knows. */
  async #send<T>(request: HttpRequest): Promise<T> {
    const proven = this.#proof.awaited(this.#timeoutMs);
    if (proven !== undefined) await proven;
    for (let tries = 1; ; tries++) {
      if (request.mayBeSent !== undefined) await this.#untilSentAtOnce();
      if (request.mayBeSent?.() === false) throw new Error("nothing was sent: its time was over before there was a connection");
      const stream = this.#open(request);
      try {
        return await this.#answer<T>(request, stream);
      } catch (error) {
        // It met the server's word that it ends the connection.
        if (stream.rstCode !== REFUSED_STREAM || tries >= REFUSED_TRIES_MAX) throw error;
      }
    }
  }

  async #untilSentAtOnce(): Promise<void> {
    for (let connected = this.#pool.connected(); connected !== undefined; connected = this.#pool.connected()) await connected;
  }

  async #answer<T>(request: HttpRequest, stream: http2.ClientHttp2Stream): Promise<T> {
    const timer = this.#clock.setTimeout(
      () => stream.destroy(new Error(`${request.method} ${request.path}: no answer in ${this.#timeoutMs} ms`)),
      this.#timeoutMs,
      { unref: true },
    );
    try {
      const { status, contentType } = await responseHead(stream);
      const text = await readText(stream);
      return parseAnswer(status, contentType, text) as T;
    } finally {
      timer.clear();
    }
  }
}

/** NGHTTP2_REFUSED_STREAM: the other side has not begun to work on the stream, and will not. */
const REFUSED_STREAM = 7;
/** NGHTTP2_CANCEL: this side no longer wants the stream. */
const CANCEL = 8;

function watchQuery(options: WatchOptions): string {
  return listQuery(options, {
    watch: "true",
    allowWatchBookmarks: options.allowWatchBookmarks ? "true" : undefined,
    sendInitialEvents: options.sendInitialEvents === undefined ? undefined : String(options.sendInitialEvents),
    timeoutSeconds: options.timeoutSeconds === undefined ? undefined : String(options.timeoutSeconds),
  });
}

async function responseHead(stream: http2.ClientHttp2Stream): Promise<{ status: number; contentType: string }> {
  const closed = new AbortController();
  const onClose = (): void => closed.abort(new Error("the connection closed before an answer came"));
  stream.once("close", onClose);
  try {
    const [headers] = (await once(stream, "response", { signal: closed.signal })) as [http2.IncomingHttpHeaders];
    return { status: Number(headers[":status"]), contentType: String(headers["content-type"] ?? "") };
  } finally {
    stream.removeListener("close", onClose);
    // A failure after the head reaches the reader of the body; without one it must not crash the process.
    stream.on("error", () => {});
  }
}

async function readText(stream: http2.ClientHttp2Stream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function parseAnswer(status: number, contentType: string, text: string): unknown {
  const value: unknown = contentType.startsWith("application/json") && text !== "" ? JSON.parse(text) : text;
  if (status >= 200 && status < 300) return value;
  if (isStatus(value)) throw new StatusError(value);
  throw new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: text === "" ? `the server answered ${status}` : text,
    reason: status === 404 ? "NotFound" : "Unknown",
    code: status,
  });
}

function isStatus(value: unknown): value is Status {
  return typeof value === "object" && value !== null && (value as { kind?: unknown }).kind === "Status";
}

/** One batch per chunk that completes at least one line. */
async function* readEvents<T>(stream: http2.ClientHttp2Stream): AsyncGenerator<readonly WatchEvent<T>[], void, void> {
  let rest: Buffer[] = [];
  for await (const part of stream) {
    const chunk = part as Buffer;
    const last = chunk.lastIndexOf(10);
    if (last < 0) {
      rest.push(chunk);
      continue;
    }
    const text = Buffer.concat([...rest, chunk.subarray(0, last)]).toString("utf8");
    rest = last + 1 < chunk.length ? [chunk.subarray(last + 1)] : [];
    const events = text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as WatchEvent<T>);
    if (events.length > 0) yield events;
  }
}
