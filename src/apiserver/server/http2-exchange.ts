import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Readable } from "node:stream";
import type { PeerIdentity } from "../authentication/peer-identity.ts";
import { type ApiResponse, isResponseStream } from "../endpoints/response.ts";
import type { Exchange, ResponseHeaders } from "./exchange.ts";
import { readBody } from "./read-body.ts";

const EMPTY = Buffer.alloc(0);
/** Chunks of an answer are joined into writes of about this many bytes: each write costs a frame and a crossing into C++. */
const JOINED_WRITE_BYTES = 256 * 1024;

/** A request over HTTP/2, on Node's stream interface: its request and response objects cost half as much again. */
export class Http2Exchange implements Exchange {
  readonly #stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly #bodyless: boolean;
  readonly #rawHeaders: readonly string[];
  readonly peer: PeerIdentity | undefined;
  readonly connection: object | undefined;
  readonly isMultiplexed = true;
  constructor(
    stream: ServerHttp2Stream,
    head: { readonly headers: IncomingHttpHeaders; readonly rawHeaders: readonly string[]; readonly flags: number },
    peer: PeerIdentity | undefined,
  ) {
    const { headers, flags } = head;
    this.#stream = stream;
    this.headers = headers;
    this.#rawHeaders = head.rawHeaders;
    this.#bodyless = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    this.peer = peer;
    this.connection = stream.session;
    stream.on("error", () => {});
  }

  get method(): string {
    return this.headers[":method"] as unknown as string;
  }

  get url(): string {
    // CONNECT has none.
    return this.headers[":path"] ?? "";
  }

  headerLines(name: string): readonly string[] {
    if (this.headers[name] === undefined) return [];
    const lines: string[] = [];
    const raw = this.#rawHeaders;
    for (let i = 0; i + 1 < raw.length; i += 2) {
      if (raw[i]?.toLowerCase() === name) lines.push(raw[i + 1] ?? "");
    }
    return lines;
  }

  get remoteAddress(): string {
    return this.#stream.session?.socket?.remoteAddress ?? "";
  }

  get finished(): boolean {
    return this.#stream.headersSent || this.#stream.destroyed;
  }

  readBody(limitBytes: number): Promise<Buffer | undefined> {
    return this.#bodyless ? Promise.resolve(EMPTY) : readBody(this.#stream, limitBytes);
  }

  bodyStream(): Readable | undefined {
    return this.#bodyless ? undefined : this.#stream;
  }

  /** One of many streams: there is nothing to take over. */
  takeOver(): undefined {
    return undefined;
  }

  send(status: number, headers: ResponseHeaders, body: ApiResponse["body"]): void {
    const stream = this.#stream;
    if (this.finished) return;
    headers[":status"] = status;
    if (this.method === "HEAD") {
      stream.respond(headers, { endStream: true });
      return;
    }
    stream.respond(headers);
    if (isResponseStream(body)) {
      body.start({
        write: (chunk) => !stream.destroyed && stream.write(chunk),
        end: () => stream.end(),
        onDrain: (callback) => stream.on("drain", callback),
        onClose: (callback) => stream.once("close", callback),
        abort: () => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
      });
    } else if (Array.isArray(body)) writeJoined(stream, body as readonly Uint8Array[]);
    else stream.end(body);
  }

  endConnection(): void {
    const { session } = this.#stream;
    if (session !== undefined && !session.closed) session.close();
  }

  abort(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  onClose(callback: () => void): void {
    this.#stream.once("close", callback);
  }
}

function writeJoined(stream: ServerHttp2Stream, chunks: readonly Uint8Array[]): void {
  let pending: Uint8Array[] = [];
  let length = 0;
  for (const chunk of chunks) {
    pending.push(chunk);
    length += chunk.length;
    if (length < JOINED_WRITE_BYTES) continue;
    stream.write(Buffer.concat(pending, length));
    pending = [];
    length = 0;
  }
  stream.end(Buffer.concat(pending, length));
}
