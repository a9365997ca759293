import { readFile } from "node:fs/promises";
import { connect as connectPlainly, isIP, type Socket } from "node:net";
import { connect as connectByTls, type TLSSocket } from "node:tls";
import type { Clock, Timer } from "../clock.ts";
import { nextTurn } from "../turn.ts";
import { GrpcCall } from "./grpc-call.ts";
import { DEADLINE_EXCEEDED, GrpcError, UNAVAILABLE } from "./grpc-error.ts";
import { headerBlock } from "./hpack.ts";
import { Http2Connection } from "./http2-connection.ts";

/** Files in PEM form for `https` endpoints, read at each connection so that renewed ones are taken up. */
export interface TlsFiles {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** Longest time for a connection to come up, unless who calls says another. */
const CONNECT_TIMEOUT_MS = 3_000;
/** A silent connection is asked whether it lives; etcd takes no more than one question in five seconds. */
const PING_INTERVAL_MS = 10_000;
const PING_TIMEOUT_MS = 5_000;
/** So long before a call is given up the other side is asked whether it lives; of calls that take less than twice of it, half their time. */
const ASK_MS = 1_500;
/** Methods whose header blocks are kept, and time limits of each. */
const BLOCKS_MAX = 100;

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
  readonly #connectTimeoutMs: number;
  #connection: Promise<Http2Connection> | undefined;
  /** That of {@link #connection}, once it is there and while it takes calls. */
  #open: Http2Connection | undefined;
  readonly #blocks = new Map<string, Map<number | undefined, Buffer>>();
  #closed = false;

  /** With a `socketPath` the connection goes to that Unix socket, and the URL is only told. */
  constructor(options: {
    readonly url: string;
    readonly tls: TlsFiles;
    readonly clock: Clock;
    readonly socketPath?: string;
    /** Longest time for a connection to come up, in milliseconds. */
    readonly connectTimeoutMs?: number;
  }) {
    this.#connectTimeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    this.#socketPath = options.socketPath;
    this.url = options.url;
    this.#tls = options.tls;
    this.#clock = options.clock;
  }

  /** Resolves when there is a connection. Rejects with {@link GrpcError} where there is none. */
  async connect(): Promise<void> {
    await this.#connected();
  }

  /**
   * Calls a method that takes one message and gives one, however long it takes without a time. Rejects with {@link GrpcError}. A call
   * whose time is over fails alone, unless the other side does not even answer whether it lives: then the connection is given up.
   */
  unary(path: string, frame: Buffer, timeoutMs?: number): Promise<Buffer> {
    const open = this.#open;
    // There is one nearly always, and a call should not wait for a turn of its own then.
    if (open !== undefined) return this.#call(open, path, frame, timeoutMs);
    return this.#connected().then((connection) => this.#call(connection, path, frame, timeoutMs));
  }

  #call(connection: Http2Connection, path: string, frame: Buffer, timeoutMs: number | undefined): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      let answer: Buffer | undefined;
      const onMessage = (message: Buffer): void => {
        answer = message;
      };
      const onEnd = (error?: GrpcError): void => {
        timer?.clear();
        if (error === undefined && answer !== undefined) resolve(answer);
        else reject(error ?? new GrpcError(UNAVAILABLE, "the server gave no answer"));
      };
      const stream = connection.open(this.#headers(path, timeoutMs), new GrpcCall(this.url, onMessage, onEnd));
      const giveUp = (isSilent: boolean): void => {
        connection.cancel(stream);
        reject(new GrpcError(DEADLINE_EXCEEDED, `${this.url} did not answer in time`));
        if (isSilent) connection.destroy(`${this.url} is silent`);
      };
      const ask = (): void => {
        const isSilent = this.#asks ? connection.ask() : () => false;
        // Where it was us who stood still, the answer is there, and was not read yet.
        timer = this.#clock.setTimeout(() => nextTurn(() => giveUp(isSilent())), lastMs);
      };
      const lastMs = timeoutMs === undefined ? 0 : Math.min(ASK_MS, timeoutMs / 2);
      let timer = timeoutMs === undefined ? undefined : this.#clock.setTimeout(ask, timeoutMs - lastMs);
      connection.write(stream, frame, true);
    });
  }

  /** The kernel tells when the other side of a Unix socket has gone, and servers in Go take no questions of those who are silent. */
  get #asks(): boolean {
    return this.#socketPath === undefined;
  }

  /** Begins a call that goes on in both directions. Rejects with {@link GrpcError} where there is no connection. */
  async stream(path: string, { onMessage, onEnd }: StreamHandlers): Promise<GrpcStream> {
    const connection = await this.#connected();
    const ended = (error?: GrpcError): void => onEnd(error ?? new GrpcError(UNAVAILABLE, "the server ended the stream"));
    const stream = connection.open(this.#headers(path, undefined), new GrpcCall(this.url, onMessage, ended));
    return {
      send: (frame) => connection.write(stream, frame, false),
      finish: () => connection.write(stream, undefined, true),
      cancel: () => connection.cancel(stream),
    };
  }

  /** Drops the connection; calls that wait on it fail, and later ones. */
  close(): void {
    this.#closed = true;
    const connection = this.#connection;
    this.#connection = undefined;
    this.#open = undefined;
    connection?.then(
      (open) => open.destroy(`the connection to ${this.url} was given up`),
      () => undefined,
    );
  }

  #connected(): Promise<Http2Connection> {
    if (this.#closed) return Promise.reject(new GrpcError(UNAVAILABLE, "the channel is closed", true));
    if (this.#connection !== undefined) return this.#connection;
    const connection = this.#connect();
    this.#connection = connection;
    const drop = (): void => {
      if (this.#connection !== connection) return;
      this.#connection = undefined;
      this.#open = undefined;
    };
    connection.then((open) => {
      if (open.isClosing) return drop();
      open.onClosing = drop;
      if (this.#connection === connection) this.#open = open;
    }, drop);
    return connection;
  }

  async #connect(): Promise<Http2Connection> {
    const socket = await this.#reach();
    const connection = new Http2Connection(socket, nextTurn);
    const timer = this.#clock.setTimeout(() => connection.destroy("timed out"), this.#connectTimeoutMs);
    try {
      await connection.ready;
    } catch (error) {
      throw new GrpcError(UNAVAILABLE, `no connection to ${this.url}: ${(error as Error).message}`, true);
    } finally {
      timer.clear();
    }
    if (this.#asks) this.#watchOver(connection, socket);
    return connection;
  }

  /** A socket on its way; what goes wrong shows on it. */
  async #reach(): Promise<Socket> {
    if (this.#socketPath !== undefined) return connectPlainly(this.#socketPath);
    const { protocol, hostname, port } = new URL(this.url);
    const host = hostname.replace(/^\[|\]$/g, "");
    if (protocol !== "https:") {
      const socket = connectPlainly({ host, port: port === "" ? 80 : Number(port), noDelay: true });
      return socket;
    }
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const where = { host, port: port === "" ? 443 : Number(port), ALPNProtocols: ["h2"], ...servername };
    const socket: TLSSocket = connectByTls({ ...where, ...(await this.#readTls()) });
    socket.setNoDelay(true);
    return socket;
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
  #watchOver(connection: Http2Connection, socket: Socket): void {
    let deadline: Timer | undefined;
    const interval = this.#clock.setInterval(
      () => {
        if (socket.destroyed) return;
        let isAnswered = false;
        const giveUp = (): void => {
          if (!isAnswered) connection.destroy(`${this.url} is silent`);
        };
        deadline = this.#clock.setTimeout(() => nextTurn(giveUp), PING_TIMEOUT_MS, { unref: true });
        connection.ping(() => {
          isAnswered = true;
          deadline?.clear();
        });
      },
      PING_INTERVAL_MS,
      { unref: true },
    );
    socket.once("close", () => {
      interval.clear();
      deadline?.clear();
    });
  }

  /** What goes before a call. The same each time: kept. */
  #headers(path: string, timeoutMs: number | undefined): Buffer {
    const known = this.#blocks.get(path)?.get(timeoutMs);
    if (known !== undefined) return known;
    const { protocol, host } = new URL(this.url);
    const block = headerBlock({
      ":method": "POST",
      ":scheme": protocol.slice(0, -1),
      ":authority": host,
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      // A member that has lost its leader ends streams that say so, instead of keeping them silent.
      ...(timeoutMs === undefined ? { hasleader: "true" } : { "grpc-timeout": `${timeoutMs}m` }),
    });
    let blocks = this.#blocks.get(path);
    if (blocks === undefined || blocks.size >= BLOCKS_MAX) {
      if (this.#blocks.size >= BLOCKS_MAX) this.#blocks.clear();
      blocks = new Map();
      this.#blocks.set(path, blocks);
    }
    blocks.set(timeoutMs, block);
    return block;
  }
}
