import type { Socket } from "node:net";
import type { NextTurn } from "../turn.ts";
import { FrameOutput } from "./frame-output.ts";

/** Sends what is written within one turn of the event loop together. */
export class FrameSender {
  readonly #socket: Socket;
  readonly #later: NextTurn;
  readonly #out = new FrameOutput();
  readonly #flushNow = (): void => this.#flush();
  #begun: { isFlushed: boolean }[] = [];
  #isFlushing = false;
  #isStopped = false;

  constructor(socket: Socket, later: NextTurn) {
    this.#socket = socket;
    this.#later = later;
  }

  /** The payload may be kept, and must not change. */
  send(type: number, flags: number, stream: number, payload?: Buffer): void {
    this.#out.frame(type, flags, stream, payload);
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#later(this.#flushNow);
  }

  /** Bytes that go out with the next frame, before it. */
  bytes(bytes: Buffer): void {
    this.#out.bytes(bytes);
  }

  /** It is told as flushed when the frames that were written so far, and with the next, are with the operating system. */
  begins(stream: { isFlushed: boolean }): void {
    this.#begun.push(stream);
  }

  /** Nothing goes out any more. */
  stop(): void {
    this.#isStopped = true;
  }

  #flush(): void {
    this.#isFlushing = false;
    const pieces = this.#out.take();
    for (const stream of this.#begun) stream.isFlushed = true;
    this.#begun = [];
    if (this.#isStopped) return;
    if (pieces.length > 1) this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    if (pieces.length > 1) this.#socket.uncork();
  }
}
