import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex, Readable } from "node:stream";
import type { PeerIdentity } from "../authentication/peer-identity.ts";
import { type ApiResponse, isResponseStream } from "../endpoints/response.ts";
import type { Exchange, RequestHeaders, ResponseHeaders } from "./exchange.ts";
import { readBody } from "./read-body.ts";

const EMPTY = Buffer.alloc(0);

/** Larger bodies go out in pieces of this size: TLS encrypts a write as a whole before the first byte leaves. */
const SLICE_BYTES = 256 * 1024;

/** A request over HTTP/1.1. */
export class Http1Exchange implements Exchange {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly peer: PeerIdentity | undefined;
  readonly connection: object;
  readonly isMultiplexed = false;
  constructor(request: IncomingMessage, response: ServerResponse, peer: PeerIdentity | undefined) {
    this.#request = request;
    this.#response = response;
    this.peer = peer;
    this.connection = request.socket;
  }

  get method(): string {
    return this.#request.method ?? "GET";
  }

  get url(): string {
    return this.#request.url ?? "/";
  }

  get headers(): RequestHeaders {
    return this.#request.headers;
  }

  headerLines(name: string): readonly string[] {
    return this.#request.headersDistinct[name] ?? [];
  }

  get remoteAddress(): string {
    return this.#request.socket.remoteAddress ?? "";
  }

  get finished(): boolean {
    return this.#response.headersSent || this.#response.destroyed;
  }

  readBody(limitBytes: number): Promise<Buffer | undefined> {
    const body = this.bodyStream();
    return body === undefined ? Promise.resolve(EMPTY) : readBody(body, limitBytes);
  }

  bodyStream(): Readable | undefined {
    const { headers } = this.#request;
    const none = headers["transfer-encoding"] === undefined && (headers["content-length"] ?? "0") === "0";
    return none ? undefined : this.#request;
  }

  takeOver(): Duplex | undefined {
    return undefined;
  }

  send(status: number, headers: ResponseHeaders, body: ApiResponse["body"]): void {
    const response = this.#response;
    if (this.finished) return;
    if (isResponseStream(body)) {
      response.writeHead(status, headers);
      response.flushHeaders();
      body.start({
        write: (chunk) => !response.destroyed && response.write(chunk),
        end: () => response.end(),
        onDrain: (callback) => response.on("drain", callback),
        onClose: (callback) => response.once("close", callback),
        abort: () => response.destroy(),
      });
    } else if (Array.isArray(body)) {
      response.writeHead(status, headers);
      response.cork();
      for (const chunk of body as readonly Uint8Array[]) response.write(chunk);
      response.end();
      response.uncork();
    } else {
      response.writeHead(status, headers);
      // With a text Node would write the head in the text's encoding; with bytes it is Latin-1.
      const bytes = headers.warning !== undefined && typeof body === "string" ? Buffer.from(body) : (body as string | Uint8Array);
      if (bytes instanceof Uint8Array && bytes.byteLength > SLICE_BYTES) writeSliced(response, bytes);
      else response.end(bytes);
    }
  }

  endConnection(): void {
    this.#response.shouldKeepAlive = false;
  }

  abort(): void {
    this.#response.destroy();
  }

  onClose(callback: () => void): void {
    this.#response.once("close", callback);
  }
}

function writeSliced(response: ServerResponse, body: Uint8Array): void {
  let at = 0;
  const next = (): void => {
    const slice = body.subarray(at, at + SLICE_BYTES);
    at += SLICE_BYTES;
    if (at >= body.byteLength) response.end(slice);
    else response.write(slice, (error) => error ?? next());
  };
  next();
}
