import { Duplex } from "node:stream";
import type { StreamHeaders } from "./header-block.ts";
import { ResetStatus } from "./spdy-error.ts";

/** What a stream asks of the connection that it belongs to. */
export interface StreamHost {
  /** The other end says how much it takes, so that it has to be obeyed, and to be told the same. */
  readonly obeysWindows: boolean;
  /** Sends bytes of a stream; `done` is called when more may be sent. */
  sendData(streamId: number, data: Buffer, fin: boolean, done: () => void): void;
  sendReset(streamId: number, status: number): void;
  sendWindowUpdate(streamId: number, delta: number): void;
  /** A stream holds more than it should, or no longer does. */
  setFull(stream: SpdyStream, full: boolean): void;
  /** Both ends have said all. */
  release(stream: SpdyStream): void;
}

/** How a stream begins. */
export interface StreamStart {
  readonly id: number;
  readonly headers: StreamHeaders;
  /** How much the other end takes at first, and this one, in bytes. */
  readonly sendWindow: number;
  readonly receiveWindow: number;
}

/** Longest piece of a stream in one frame, in bytes. */
const DATA_FRAME_BYTES_MAX = 64 * 1024;

/** The other end has ended a stream at once, with one of the statuses of {@link ResetStatus}. */
export class StreamResetError extends Error {
  override readonly name = "StreamResetError";
  readonly status: number;

  constructor(status: number) {
    super(`the stream was reset (status ${status})`);
    this.status = status;
  }
}

/**
 * One stream of a SPDY connection. Ending it closes this end's half; destroying it before both ends have said all
 * resets it. An `error` that nobody listens to is of no consequence.
 */
export class SpdyStream extends Duplex {
  readonly id: number;
  /** By lower-case name, as the end that made the stream sent them. */
  readonly headers: StreamHeaders;
  /** The stream was accepted by the end that did not make it; rejects when it is not. Nothing is sent before that. */
  readonly opened: Promise<void>;
  readonly #host: StreamHost;
  readonly #receiveWindow: number;
  #sendWindow: number;
  #received = 0;
  #credited = 0;
  #full = false;
  #accepted = false;
  #localEnded = false;
  #remoteEnded = false;
  /** Why nothing can be written any more. */
  #failure: Error | undefined;
  /** What is waiting to be sent, and whom to tell when it has been. */
  #pending: { readonly chunk: Buffer; readonly done: () => void } | undefined;
  #sending = false;
  #ending: (() => void) | undefined;
  readonly #settleOpened: { resolve(): void; reject(error: Error): void };

  constructor(start: StreamStart, host: StreamHost) {
    super({ allowHalfOpen: true });
    this.id = start.id;
    this.headers = start.headers;
    this.#host = host;
    this.#sendWindow = start.sendWindow;
    this.#receiveWindow = start.receiveWindow;
    let settle = { resolve(): void {}, reject(_: Error): void {} };
    this.opened = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.#settleOpened = settle;
    this.opened.catch(() => undefined);
    this.on("error", () => undefined);
  }

  /** Ends both halves at once. */
  reset(status: number = ResetStatus.cancel): void {
    if (this.#localEnded && this.#remoteEnded) return;
    this.#localEnded = true;
    this.#remoteEnded = true;
    this.#host.sendReset(this.id, status);
    this.#host.release(this);
    this.destroy();
  }

  /** The reply has come, or has been sent. */
  accepted(): void {
    if (this.#accepted) return;
    this.#accepted = true;
    this.#settleOpened.resolve();
    this.#flush();
  }

  /** The other end sent bytes, or has said all. */
  dataReceived(data: Buffer, fin: boolean): void {
    if (this.#remoteEnded) return;
    if (data.length > 0) {
      this.#received += data.length;
      this.push(data);
      if (this.readableLength > this.#receiveWindow) this.#setFull(true);
      this.#consumed();
    }
    if (!fin) return;
    this.push(null);
    this.#remoteEnded = true;
    this.#settle();
  }

  /**
   * The other end has ended the stream at once. Who reads finds what it had said, and then an end, as in upstream's
   * spdystream: servers reset streams behind their last word. Nothing can be written any more.
   */
  resetReceived(status: number): void {
    this.#host.release(this);
    const error = new StreamResetError(status);
    const isRead = this.readableFlowing !== null || this.listenerCount("readable") > 0 || this.readableLength > 0;
    if (!this.#accepted || this.#remoteEnded || !isRead) {
      this.connectionLost(error);
      return;
    }
    this.#localEnded = true;
    this.#remoteEnded = true;
    this.#failure = error;
    // Not an error of the reader's: who writes is told of it when he writes.
    this.once("end", () => this.destroy());
    this.push(null);
  }

  /** The other end takes so many bytes more, or less. */
  windowChanged(delta: number): void {
    this.#sendWindow += delta;
    this.#consumed();
    this.#flush();
  }

  /** The connection is no more. */
  connectionLost(error: Error): void {
    const isComplete = this.#remoteEnded && this.#pending === undefined;
    this.#localEnded = true;
    this.#remoteEnded = true;
    this.#failure = error;
    if (!isComplete) this.destroy(error);
  }

  /** This end may not say anything on a stream that goes one way. */
  closeLocal(): void {
    this.#localEnded = true;
    this.end();
  }

  /** Nothing has to be asked for: what is on its way comes. */
  override _read(): void {}

  // `_read` comes before bytes are taken out, and not again until others come in: only here it is known what has gone.
  // biome-ignore lint/suspicious/noExplicitAny: as in the type of the base class.
  override read(size?: number): any {
    const chunk = super.read(size);
    this.#consumed();
    return chunk;
  }

  /**
   * Lets the other end send as much again as has been read. Not one that shows no windows of its own: it needs no leave, and what it
   * has not read when it closes the connection costs what it said last.
   */
  #consumed(): void {
    if (this.#full && this.readableLength <= this.#receiveWindow / 2) this.#setFull(false);
    if (!this.#host.obeysWindows) return;
    const credit = this.#received - this.readableLength - this.#credited;
    if (this.#remoteEnded || credit < this.#receiveWindow / 2) return;
    this.#credited += credit;
    this.#host.sendWindowUpdate(this.id, credit);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    if (this.#failure !== undefined) {
      done(this.#failure);
      return;
    }
    this.#pending = { chunk, done };
    this.#flush();
  }

  override _final(done: () => void): void {
    this.#ending = done;
    this.#flush();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#localEnded || !this.#remoteEnded) this.#host.sendReset(this.id, ResetStatus.cancel);
    this.#localEnded = true;
    this.#remoteEnded = true;
    this.#setFull(false);
    this.#host.release(this);
    this.#settleOpened.reject(error ?? new Error("the stream was closed before it was accepted"));
    done(error);
  }

  /** Sends what is waiting as far as the other end takes it, then that all has been said. */
  #flush(): void {
    while (this.#accepted && !this.#sending && this.#pending !== undefined) {
      const { chunk, done } = this.#pending;
      const allowed = this.#host.obeysWindows ? Math.min(this.#sendWindow, DATA_FRAME_BYTES_MAX) : DATA_FRAME_BYTES_MAX;
      if (allowed <= 0 && chunk.length > 0) return;
      const part = chunk.subarray(0, allowed);
      const rest = chunk.subarray(part.length);
      this.#pending = rest.length === 0 ? undefined : { chunk: rest, done };
      this.#sendWindow -= part.length;
      this.#sending = true;
      this.#host.sendData(this.id, part, false, () => {
        this.#sending = false;
        if (rest.length === 0) done();
        else this.#flush();
      });
    }
    if (!this.#accepted || this.#ending === undefined || this.#pending !== undefined || this.#sending) return;
    const done = this.#ending;
    this.#ending = undefined;
    const ended = (): void => {
      this.#localEnded = true;
      this.#settle();
      done();
    };
    if (this.#localEnded) ended();
    else this.#host.sendData(this.id, Buffer.alloc(0), true, ended);
  }

  #setFull(full: boolean): void {
    if (full === this.#full) return;
    this.#full = full;
    this.#host.setFull(this, full);
  }

  #settle(): void {
    if (this.#localEnded && this.#remoteEnded) this.#host.release(this);
  }
}
