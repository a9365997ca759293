import { readFile } from "node:fs/promises";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants, type IncomingHttpHeaders } from "node:http2";
import { connect as connectSocket } from "node:net";
import type { Clock, Timer } from "../clock.ts";
import { DEADLINE_EXCEEDED, GrpcError, UNAVAILABLE } from "./grpc-error.ts";
import { FRAME_HEAD_BYTES } from "./message-writer.ts";

/** Files in PEM form for `https` endpoints, read at each connection so that renewed ones are taken up. */
export interface TlsFiles {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** Longest time for a connection to come up. */
const CONNECT_TIMEOUT_MS = 3_000;
/** A silent connection is asked whether it lives; etcd takes no more than one question in five seconds. */
const PING_INTERVAL_MS = 10_000;
const PING_TIMEOUT_MS = 5_000;
/** Large lists shall not wait for the window to be opened, piece by piece. */
const WINDOW_BYTES = 16 * 1024 * 1024;
/** In megabytes: what one connection may hold for its streams. */
const SESSION_MEMORY_MB = 2048;

/** A call that goes on in both directions. */
export interface GrpcStream {
  /** Sends an encoded message. */
  send(frame: Buffer): void;
  /** Says that nothing more will be sent; what comes back goes on. */
  finish(): void;
  /** Ends the call without a word to its handlers. */
  cancel(): void;
}

/** What comes back on a {@link GrpcStream}. */
export interface StreamHandlers {
  readonly onMessage: (message: Buffer) => void;
  /** Called once, unless the stream was cancelled. */
  readonly onEnd: (error: GrpcError) => void;
}

/** gRPC to one address over one HTTP/2 connection, which is made when it is needed and made anew when it breaks. */
export class GrpcChannel {
  readonly url: string;
  readonly #tls: TlsFiles;
  readonly #socketPath: string | undefined;
  readonly #clock: Clock;
  #session: Promise<ClientHttp2Session> | undefined;
  #closed = false;

  /** With a `socketPath` the connection goes to that Unix socket, and the URL is only told. */
  constructor(options: {
    readonly url: string;
    readonly tls: TlsFiles;
    readonly clock: Clock;
    readonly socketPath?: string;
  }) {
    this.#socketPath = options.socketPath;
    this.url = options.url;
    this.#tls = options.tls;
    this.#clock = options.clock;
  }

  /** Calls a method that takes one message and gives one, however long it takes without a time. Rejects with {@link GrpcError}. */
  async unary(path: string, frame: Buffer, timeoutMs?: number): Promise<Buffer> {
    const session = await this.#connected();
    return new Promise((resolve, reject) => {
      let answer: Buffer | undefined;
      const stream = this.#open(session, path, timeoutMs, {
        onMessage: (message) => {
          answer = message;
        },
        onEnd: (error) => {
          timer?.clear();
          if (error.code === 0 && answer !== undefined) resolve(answer);
          else reject(error);
        },
      });
      const giveUp = (): void => {
        stream.close(constants.NGHTTP2_CANCEL);
        reject(new GrpcError(DEADLINE_EXCEEDED, `${this.url} did not answer in time`));
      };
      const timer = timeoutMs === undefined ? undefined : this.#clock.setTimeout(giveUp, timeoutMs);
      stream.end(frame);
    });
  }

  /** Begins a call that goes on in both directions. Rejects with {@link GrpcError} where there is no connection. */
  async stream(path: string, handlers: StreamHandlers): Promise<GrpcStream> {
    const session = await this.#connected();
    let cancelled = false;
    const stream = this.#open(session, path, undefined, {
      onMessage: (message) => {
        if (!cancelled) handlers.onMessage(message);
      },
      onEnd: (error) => {
        if (!cancelled) handlers.onEnd(error.code === 0 ? new GrpcError(UNAVAILABLE, "the server ended the stream") : error);
      },
    });
    return {
      send: (frame) => {
        if (!stream.destroyed) stream.write(frame);
      },
      finish: () => stream.end(),
      cancel: () => {
        cancelled = true;
        stream.close(constants.NGHTTP2_CANCEL);
      },
    };
  }

  /** Drops the connection; calls that wait on it fail. A later call connects anew, unless the channel is closed for good. */
  reset(): void {
    const session = this.#session;
    this.#session = undefined;
    session?.then(
      (open) => open.destroy(),
      () => undefined,
    );
  }

  close(): void {
    this.#closed = true;
    this.reset();
  }

  #connected(): Promise<ClientHttp2Session> {
    if (this.#closed) return Promise.reject(new GrpcError(UNAVAILABLE, "the channel is closed", true));
    if (this.#session !== undefined) return this.#session;
    const session = this.#connect();
    this.#session = session;
    const drop = (): void => {
      if (this.#session === session) this.#session = undefined;
    };
    session.then((open) => {
      open.once("close", drop);
      open.once("goaway", drop);
    }, drop);
    return session;
  }

  async #connect(): Promise<ClientHttp2Session> {
    const secrets = await this.#readTls();
    return new Promise((resolve, reject) => {
      const path = this.#socketPath;
      const session = connect(this.url, {
        ...secrets,
        ...(path !== undefined && { createConnection: () => connectSocket(path) }),
        maxSessionMemory: SESSION_MEMORY_MB,
        settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
      });
      const fail = (reason: string): void => reject(new GrpcError(UNAVAILABLE, `no connection to ${this.url}: ${reason}`, true));
      const timer = this.#clock.setTimeout(() => {
        fail("timed out");
        session.destroy();
      }, CONNECT_TIMEOUT_MS);
      session.once("connect", () => {
        timer.clear();
        session.setLocalWindowSize(WINDOW_BYTES);
        // The kernel tells when the other side of a Unix socket has gone, and servers in Go take no questions of those who are silent.
        if (path === undefined) this.#watchOver(session);
        resolve(session);
      });
      session.on("error", (error) => fail(error.message));
      session.once("close", () => {
        timer.clear();
        fail("closed");
      });
    });
  }

  async #readTls(): Promise<{ ca?: Buffer; cert?: Buffer; key?: Buffer }> {
    const { caFile, certFile, keyFile } = this.#tls;
    const read = async (name: string, file: string | undefined): Promise<object> =>
      file === undefined ? {} : { [name]: await readFile(file) };
    try {
      return Object.assign({}, ...(await Promise.all([read("ca", caFile), read("cert", certFile), read("key", keyFile)])));
    } catch (error) {
      throw new GrpcError(UNAVAILABLE, (error as Error).message, true);
    }
  }

  /** Ends a connection whose other side has gone without a word. */
  #watchOver(session: ClientHttp2Session): void {
    let deadline: Timer | undefined;
    const interval = this.#clock.setInterval(
      () => {
        if (session.destroyed || session.closed) return;
        deadline = this.#clock.setTimeout(() => session.destroy(), PING_TIMEOUT_MS, { unref: true });
        session.ping(() => deadline?.clear());
      },
      PING_INTERVAL_MS,
      { unref: true },
    );
    session.once("close", () => {
      interval.clear();
      deadline?.clear();
    });
  }

  #open(session: ClientHttp2Session, path: string, timeoutMs: number | undefined, handlers: StreamHandlers): ClientHttp2Stream {
    let stream: ClientHttp2Stream;
    try {
      stream = session.request({
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc",
        te: "trailers",
        // A member that has lost its leader ends streams that say so, instead of keeping them silent.
        ...(timeoutMs === undefined ? { hasleader: "true" } : { "grpc-timeout": `${timeoutMs}m` }),
      });
    } catch (error) {
      throw new GrpcError(UNAVAILABLE, (error as Error).message, true);
    }
    const messages = new MessageReader(handlers.onMessage);
    let status: GrpcError | undefined;
    const take = (headers: IncomingHttpHeaders): void => {
      const failed = statusOf(headers);
      if (failed !== undefined) status = failed;
    };
    stream.on("response", take);
    stream.on("trailers", take);
    stream.on("data", (chunk: Buffer) => messages.push(chunk));
    let failure: Error | undefined;
    stream.on("error", (error) => {
      failure = error;
    });
    stream.once("close", () => {
      const refused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
      handlers.onEnd(
        status ??
          new GrpcError(UNAVAILABLE, failure?.message ?? `the connection to ${this.url} was lost`, refused || stream.pending),
      );
    });
    return stream;
  }
}

function statusOf(headers: IncomingHttpHeaders): GrpcError | undefined {
  const code = headers["grpc-status"];
  if (code !== undefined) return new GrpcError(Number(code), decodeMessage(String(headers["grpc-message"] ?? "")));
  const http = headers[":status"];
  if (http === undefined || Number(http) === 200) return undefined;
  return new GrpcError(UNAVAILABLE, `unexpected HTTP status ${http}`);
}

/** gRPC's messages are percent-encoded. */
function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Puts messages together from the pieces that they come in. */
class MessageReader {
  readonly #onMessage: (message: Buffer) => void;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(onMessage: (message: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  push(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#length += chunk.length;
    while (this.#length >= FRAME_HEAD_BYTES) {
      const size = FRAME_HEAD_BYTES + this.#head().readUInt32BE(1);
      if (this.#length < size) return;
      const whole = this.#join();
      this.#parts = whole.length === size ? [] : [whole.subarray(size)];
      this.#length -= size;
      this.#onMessage(whole.subarray(FRAME_HEAD_BYTES, size));
    }
  }

  #head(): Buffer {
    const [first] = this.#parts;
    return first !== undefined && first.length >= FRAME_HEAD_BYTES ? first : this.#join();
  }

  #join(): Buffer {
    const [first] = this.#parts;
    const whole = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts, this.#length);
    this.#parts = [whole];
    return whole;
  }
}
