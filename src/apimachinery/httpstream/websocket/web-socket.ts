import type { Duplex } from "node:stream";
import type { Clock, Timer } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import { IdleTimer } from "../idle-timer.ts";
import { encodeFrame, FrameReader, Opcode } from "./frames.ts";

/** Options of {@link WebSocketConnection}. */
export interface WebSocketOptions {
  /** For the masks of a client's frames; a server has none. */
  readonly maskedBy?: Random;
  readonly clock: Clock;
  /** A whole message. */
  readonly onMessage: (payload: Buffer) => void;
  /** What was read of the connection before it began. */
  readonly head?: Uint8Array;
  /** The connection is closed after so many milliseconds without a byte; never when 0 or absent. */
  readonly idleTimeoutMs?: number;
}

/** Longest message, in bytes; as `golang.org/x/net/websocket`. */
export const MESSAGE_BYTES_MAX: number = 32 * 1024 * 1024;
/** Longest payload of a frame that is no message (RFC 6455, section 5.5). */
const CONTROL_BYTES_MAX = 125;
/** How long the other end may take to close its side of the connection, in milliseconds. */
const CLOSE_TIMEOUT_MS = 5000;

/** Why a connection is closed (RFC 6455, section 7.4.1). */
export const CloseCode = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  messageTooBig: 1009,
  internalError: 1011,
} as const;

/** Messages over a socket that has been upgraded (RFC 6455). Pings are answered; nobody is sent any. */
export class WebSocketConnection {
  /** Resolves when the socket is closed, however that came. */
  readonly closed: Promise<void>;
  readonly #socket: Duplex;
  readonly #options: WebSocketOptions;
  readonly #reader = new FrameReader(MESSAGE_BYTES_MAX);
  readonly #idle: IdleTimer;
  #parts: Buffer[] = [];
  #partsLength = 0;
  #waitingForDrain: (() => void)[] = [];
  #closeTimer: Timer | undefined;
  #ended = false;

  constructor(socket: Duplex, options: WebSocketOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#idle = new IdleTimer(options.clock, options.idleTimeoutMs ?? 0, () => this.close(CloseCode.goingAway));
    this.closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => undefined);
    socket.on("drain", () => this.#drained());
    socket.once("end", () => this.#end());
    socket.once("close", () => {
      this.#ended = true;
      this.#idle.stop();
      this.#closeTimer?.clear();
      this.#drained();
    });
    if (options.head !== undefined && options.head.length > 0) socket.unshift(options.head);
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
  }

  /** Sends a message; `done` is called when more may be sent. */
  send(payload: Uint8Array, opcode: typeof Opcode.text | typeof Opcode.binary, done: () => void = () => {}): void {
    if (this.#ended) {
      done();
      return;
    }
    this.#idle.touch();
    if (this.#write(opcode, payload)) done();
    else this.#waitingForDrain.push(done);
  }

  /** Reads nothing until {@link resume}. */
  pause(): void {
    if (!this.#ended) this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Says why it goes, and ends the socket when all that was written has been sent. Can be called again. */
  close(code: number = CloseCode.normal): void {
    if (this.#ended) return;
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code);
    this.#write(Opcode.close, payload);
    this.#end();
  }

  #write(opcode: number, payload: Uint8Array): boolean {
    return this.#socket.write(encodeFrame(opcode, payload, this.#options.maskedBy?.bytes(4)));
  }

  #received(chunk: Uint8Array): void {
    if (this.#ended) return;
    this.#idle.touch();
    try {
      for (const frame of this.#reader.read(chunk)) {
        // Only clients mask, and all of them (RFC 6455, section 5.1).
        if (frame.masked === (this.#options.maskedBy !== undefined)) this.close(CloseCode.protocolError);
        else this.#handle(frame.opcode, frame.fin, frame.payload);
        if (this.#ended) return;
      }
    } catch {
      this.close(CloseCode.messageTooBig);
    }
  }

  #handle(opcode: number, fin: boolean, payload: Buffer): void {
    if (opcode >= Opcode.close) {
      if (!fin || payload.length > CONTROL_BYTES_MAX) this.close(CloseCode.protocolError);
      else if (opcode === Opcode.ping) this.#answerPing(payload);
      else if (opcode === Opcode.close) this.close(payload.length >= 2 ? payload.readUInt16BE(0) : CloseCode.normal);
      return;
    }
    const isFirst = opcode !== Opcode.continuation;
    if (opcode > Opcode.binary || isFirst !== (this.#parts.length === 0)) {
      this.close(CloseCode.protocolError);
      return;
    }
    this.#parts.push(payload);
    this.#partsLength += payload.length;
    if (this.#partsLength > MESSAGE_BYTES_MAX) this.close(CloseCode.messageTooBig);
    if (!fin || this.#ended) return;
    const message = this.#parts.length === 1 ? payload : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#partsLength = 0;
    this.#options.onMessage(message);
  }

  /** Who asks much and reads nothing is let go. */
  #answerPing(payload: Buffer): void {
    this.#write(Opcode.pong, payload);
    if (this.#socket.writableLength > MESSAGE_BYTES_MAX) this.#socket.destroy();
  }

  #drained(): void {
    const waiting = this.#waitingForDrain;
    this.#waitingForDrain = [];
    for (const done of waiting) done();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#idle.stop();
    // To close with bytes unread would lose those that were sent last.
    this.#socket.resume();
    this.#socket.end();
    this.#closeTimer = this.#options.clock.setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS, { unref: true });
    this.#socket.once("end", () => this.#socket.destroy());
  }
}
