import { Duplex } from "node:stream";
import { Opcode } from "./frames.ts";
import { WebSocketConnection, type WebSocketOptions } from "./web-socket.ts";

/** Which way a channel goes, from here: what comes on others is dropped, and so is what is written to them. */
export type ChannelType = "read" | "write" | "readWrite" | "ignore";

/** Options of {@link ChannelConnection}. */
export interface ChannelConnectionOptions extends Omit<WebSocketOptions, "onMessage"> {
  /** The subprotocol that was agreed on. */
  readonly protocol: string;
  /** By the channel's number. */
  readonly channels: readonly ChannelType[];
}

/** The channel number that says, in v5, that a channel has been closed (KEP-4006). */
const STREAM_CLOSE_SIGNAL = 255;
/** How much of one channel may wait to be read, in bytes: the connection is not read beyond it. */
const CHANNEL_BUFFER_BYTES_MAX = 256 * 1024;
const DIGIT_ZERO = 48;

/** Messages are text in Base64, and the channel's number a digit. */
function isBase64(protocol: string): boolean {
  return protocol.endsWith("base64.channel.k8s.io");
}

/** The client can close a channel by itself. */
export function supportsStreamClose(protocol: string): boolean {
  return protocol === "v5.channel.k8s.io";
}

/** The subprotocol carries SPDY as it is. */
export function isTunnelProtocol(protocol: string): boolean {
  return protocol.startsWith("SPDY/3.1+") && protocol.endsWith(".k8s.io");
}

/**
 * Several channels over one WebSocket: the first byte of each message is the channel's number (upstream's
 * `wsstream.Conn`). The other end of v5 can say that a channel is ended; this end, as upstream's, only ends the connection.
 */
export class ChannelConnection {
  /** By number. */
  readonly channels: readonly Duplex[];
  readonly connection: WebSocketConnection;
  readonly #channels: readonly Channel[];
  readonly #protocol: string;
  readonly #full = new Set<Channel>();

  constructor(socket: Duplex, options: ChannelConnectionOptions) {
    this.#protocol = options.protocol;
    const host: ChannelHost = {
      send: (number, data, done) => this.#send(number, data, done),
      setFull: (channel, full) => this.#setFull(channel, full),
    };
    this.#channels = options.channels.map((type, number) => new Channel(number, type, host));
    this.channels = this.#channels;
    this.connection = new WebSocketConnection(socket, { ...options, onMessage: (message) => this.#received(message) });
    void this.connection.closed.then(() => {
      for (const channel of this.#channels) channel.connectionClosed();
    });
  }

  /** Sends an empty message, by which the other end learns that there is somebody. */
  sendEmpty(channel: number): void {
    this.#send(channel, Buffer.alloc(0), () => undefined);
  }

  /** Ends the connection when all that was written has been sent. */
  close(code?: number): void {
    this.connection.close(code);
  }

  #received(message: Buffer): void {
    const [first] = message;
    if (first === undefined) return;
    if (first === STREAM_CLOSE_SIGNAL && supportsStreamClose(this.#protocol)) {
      const channel = message.length === 2 ? this.#channels[message[1] ?? 0] : undefined;
      if (channel === undefined) this.close();
      else channel.otherEnded();
      return;
    }
    const base64 = isBase64(this.#protocol);
    const rest = message.subarray(1);
    const data = base64 ? Buffer.from(rest.toString("latin1"), "base64") : rest;
    this.#channels[base64 ? first - DIGIT_ZERO : first]?.dataReceived(data);
  }

  #send(number: number, data: Buffer, done: () => void): void {
    if (isBase64(this.#protocol)) this.connection.send(Buffer.from(`${number}${data.toString("base64")}`), Opcode.text, done);
    else this.connection.send(Buffer.concat([Buffer.of(number), data]), Opcode.binary, done);
  }

  #setFull(channel: Channel, full: boolean): void {
    if (full) this.#full.add(channel);
    else this.#full.delete(channel);
    if (this.#full.size > 0) this.connection.pause();
    else this.connection.resume();
  }
}

interface ChannelHost {
  send(number: number, data: Buffer, done: () => void): void;
  setFull(channel: Channel, full: boolean): void;
}

class Channel extends Duplex {
  readonly #number: number;
  readonly #host: ChannelHost;
  readonly #reads: boolean;
  readonly #writes: boolean;
  #otherEnded = false;
  #full = false;

  constructor(number: number, type: ChannelType, host: ChannelHost) {
    super({ allowHalfOpen: true });
    this.#number = number;
    this.#host = host;
    this.#reads = type === "read" || type === "readWrite";
    this.#writes = type === "write" || type === "readWrite";
    this.on("error", () => undefined);
    if (!this.#reads) this.otherEnded();
  }

  dataReceived(data: Buffer): void {
    if (!this.#reads || this.#otherEnded || this.destroyed) return;
    this.push(data);
    if (this.readableLength > CHANNEL_BUFFER_BYTES_MAX) this.#setFull(true);
  }

  otherEnded(): void {
    if (this.#otherEnded) return;
    this.#otherEnded = true;
    this.push(null);
  }

  /** Whoever waits for more learns that there is none. */
  connectionClosed(): void {
    this.otherEnded();
    if (!this.writableEnded) this.end();
  }

  override _read(): void {}

  // biome-ignore lint/suspicious/noExplicitAny: as in the type of the base class.
  override read(size?: number): any {
    const chunk = super.read(size);
    if (this.readableLength <= CHANNEL_BUFFER_BYTES_MAX / 2) this.#setFull(false);
    return chunk;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#writes) this.#host.send(this.#number, chunk, done);
    else done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#setFull(false);
    done(error);
  }

  #setFull(full: boolean): void {
    if (full === this.#full) return;
    this.#full = full;
    this.#host.setFull(this, full);
  }
}
