import type { Socket } from "node:net";
import type { NextTurn } from "../turn.ts";
import { FrameInput } from "./frame-input.ts";
import { FrameSender } from "./frame-sender.ts";
import { HeaderDecoder } from "./hpack.ts";
import {
  ACK,
  CANCEL,
  END_HEADERS,
  END_STREAM,
  FRAME_PAYLOAD_MAX,
  Frame,
  numbers,
  REFUSED_STREAM,
  settings,
  unpadded,
} from "./http2-frames.ts";
import { Http2Pings } from "./http2-pings.ts";
import { type Http2Handlers, Http2Stream } from "./http2-stream.ts";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const [ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE] = [2, 3, 4, 5];
/** What both sides may send before the other has said anything. */
const DEFAULT_WINDOW_BYTES = 65_535;
/** Large answers shall not wait for the window to be opened, piece by piece. */
const WINDOW_BYTES = 16 * 1024 * 1024;
/** After so many streams a connection is not used for more: their numbers come to an end. */
const STREAM_ID_MAX = 0x7fff_0000;

/**
 * The client's side of one HTTP/2 connection, for gRPC: much smaller than Node's, which takes more of the processor than a call to etcd does
 * otherwise. What is sent within one turn of the event loop goes out together. No priorities, no pushes; all else by RFC 9113.
 */
export class Http2Connection {
  /** Resolves when the other side has shown that it speaks HTTP/2. */
  readonly ready: Promise<void>;
  /** No more streams can be opened; those that are open may go on. */
  isClosing = false;
  /** Called once, when no more streams can be opened. */
  onClosing: () => void = () => undefined;
  readonly #socket: Socket;
  readonly #later: NextTurn;
  readonly #decoder = new HeaderDecoder();
  readonly #streams = new Map<number, Http2Stream>();
  #waiting: Http2Stream[] = [];
  readonly #pings = new Http2Pings(() => this.#out.send(Frame.ping, 0, 0, Buffer.alloc(8)));
  readonly #in = new FrameInput((type, flags, id, payload) => this.#onFrame(type, flags, id, payload));
  #nextId = 1;
  #streamsMax = Number.POSITIVE_INFINITY;
  #frameMax = FRAME_PAYLOAD_MAX;
  #streamWindow = DEFAULT_WINDOW_BYTES;
  #window = DEFAULT_WINDOW_BYTES;
  #received = 0;
  readonly #out: FrameSender;
  #isOver = false;
  #markReady: () => void = () => undefined;
  #refuse: (error: Error) => void = () => undefined;

  /** The socket is connected, or will be; it is this connection's from now on. */
  constructor(socket: Socket, later: NextTurn) {
    this.#socket = socket;
    this.#later = later;
    this.#out = new FrameSender(socket, later);
    this.ready = new Promise((resolve, reject) => {
      this.#markReady = resolve;
      this.#refuse = reject;
    });
    this.ready.catch(() => undefined);
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", (error) => this.destroy(wordsOf(error)));
    socket.on("close", () => this.destroy());
    const wanted = settings([
      [ENABLE_PUSH, 0],
      [INITIAL_WINDOW_SIZE, WINDOW_BYTES],
    ]);
    this.#out.bytes(PREFACE);
    this.#out.send(Frame.settings, 0, 0, wanted);
    this.#out.send(Frame.windowUpdate, 0, 0, numbers(WINDOW_BYTES - DEFAULT_WINDOW_BYTES));
  }

  /** Begins a request whose body is still to come. `block` is its header block. */
  open(block: Buffer, handlers: Http2Handlers): Http2Stream {
    const stream = new Http2Stream(block, handlers);
    if (this.#streams.size < this.#streamsMax) this.#begin(stream);
    else this.#waiting.push(stream);
    return stream;
  }

  /** Sends a part of the body; `last` where none follows. */
  write(stream: Http2Stream, data: Buffer | undefined, last: boolean): void {
    if (stream.isOver || stream.isFinished) return;
    if (data !== undefined) stream.unsentData.push(data);
    stream.isFinished = last;
    if (stream.id !== 0) this.#pump(stream, data === undefined);
  }

  /** Gives a request up, without a word to its handlers. */
  cancel(stream: Http2Stream): void {
    if (stream.isOver) return;
    stream.isOver = true;
    if (stream.id === 0) {
      this.#waiting = this.#waiting.filter((other) => other !== stream);
      return;
    }
    this.#out.send(Frame.resetStream, 0, stream.id, numbers(CANCEL));
    this.#forget(stream);
  }

  /** Asks whether the other side lives. */
  ping(onAnswer: () => void): void {
    this.#pings.ping(onAnswer);
  }

  /** Asks whether the other side lives where it may be asked, and gives a function that says whether it has been silent since. */
  ask(): () => boolean {
    return this.#pings.ask();
  }

  /** Ends all streams, and the connection; without a reason it was lost. */
  destroy(reason?: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#in.stop();
    this.#out.stop();
    this.#close();
    this.#refuse(new Error(reason ?? "closed"));
    this.#socket.destroy();
    const all = [...this.#streams.values(), ...this.#waiting];
    this.#streams.clear();
    this.#waiting = [];
    for (const stream of all) this.#end(stream, reason, !stream.isFlushed);
  }

  #close(): void {
    if (this.isClosing) return;
    this.isClosing = true;
    this.onClosing();
  }

  #begin(stream: Http2Stream): void {
    const { block } = stream;
    stream.id = this.#nextId;
    this.#nextId += 2;
    stream.window = this.#streamWindow;
    this.#streams.set(stream.id, stream);
    this.#out.begins(stream);
    this.#out.send(Frame.headers, END_HEADERS, stream.id, block);
    if (stream.unsentData.length > 0 || stream.isFinished) this.#pump(stream, stream.unsentData.length === 0);
    if (this.#nextId > STREAM_ID_MAX) this.#close();
  }

  /** Sends what the windows allow. `empty`: all that is left to say is that nothing follows. */
  #pump(stream: Http2Stream, empty = false): void {
    const { unsentData: data } = stream;
    if (empty && data.length === 0 && stream.isFinished) {
      this.#out.send(Frame.data, END_STREAM, stream.id);
      return;
    }
    for (let first = data[0]; first !== undefined; first = data[0]) {
      const length = Math.min(first.length, this.#frameMax, this.#window, stream.window);
      if (length <= 0 && first.length > 0) return;
      const isWhole = length === first.length;
      if (isWhole) data.shift();
      else data[0] = first.subarray(length);
      this.#window -= length;
      stream.window -= length;
      const isLast = stream.isFinished && data.length === 0;
      this.#out.send(Frame.data, isLast ? END_STREAM : 0, stream.id, isWhole ? first : first.subarray(0, length));
    }
  }

  #take(chunk: Buffer): void {
    this.#pings.heard();
    try {
      this.#in.take(chunk);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.destroy(`the other side does not speak HTTP/2: ${error.message}`);
    }
  }

  #onFrame(type: number, flags: number, id: number, payload: Buffer): void {
    if (type === Frame.data) this.#onData(id, flags, payload);
    else if (type === Frame.headers) this.#onHeaders(id, flags, payload);
    else if (type === Frame.resetStream) this.#onReset(id, payload.readUInt32BE(0));
    else if (type === Frame.settings) this.#onSettings(flags, payload);
    else if (type === Frame.ping) this.#onPing(flags, payload);
    else if (type === Frame.goAway) this.#onGoAway(payload.readUInt32BE(0) & 0x7fff_ffff);
    else if (type === Frame.windowUpdate) this.#onWindow(id, payload.readUInt32BE(0) & 0x7fff_ffff);
    else if (type === Frame.pushPromise) throw new RangeError("a push that nobody wants");
  }

  #onPing(flags: number, payload: Buffer): void {
    if ((flags & ACK) !== 0) this.#pings.answered();
    else this.#out.send(Frame.ping, ACK, 0, payload);
  }

  #onData(id: number, flags: number, payload: Buffer): void {
    this.#received += payload.length;
    if (this.#received > WINDOW_BYTES / 2) {
      this.#out.send(Frame.windowUpdate, 0, 0, numbers(this.#received));
      this.#received = 0;
    }
    this.#pings.spoken();
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    const isLast = (flags & END_STREAM) !== 0;
    stream.received += payload.length;
    if (!isLast && stream.received > WINDOW_BYTES / 2) {
      this.#out.send(Frame.windowUpdate, 0, id, numbers(stream.received));
      stream.received = 0;
    }
    stream.handlers.onData(unpadded(payload, flags & ~0x20));
    if (isLast) this.#finish(stream);
  }

  #onHeaders(id: number, flags: number, block: Buffer): void {
    // Read in any case: later blocks build upon it.
    const headers = this.#decoder.read(block);
    this.#pings.spoken();
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.handlers.onHeaders(headers);
    if ((flags & END_STREAM) !== 0) this.#finish(stream);
  }

  #finish(stream: Http2Stream): void {
    if (stream.isOver) return;
    // The server wants no more of what is still to be sent.
    if (!stream.isFinished || stream.unsentData.length > 0) this.#out.send(Frame.resetStream, 0, stream.id, numbers(CANCEL));
    this.#forget(stream);
    this.#end(stream, undefined, false);
  }

  #onReset(id: number, code: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    this.#forget(stream);
    this.#end(stream, `the server broke the call off with HTTP/2 error ${code}`, code === REFUSED_STREAM);
  }

  #onSettings(flags: number, payload: Buffer): void {
    if ((flags & ACK) !== 0) return;
    for (let at = 0; at + 6 <= payload.length; at += 6) this.#set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    this.#out.send(Frame.settings, ACK, 0);
    this.#markReady();
    for (const stream of [...this.#streams.values()]) this.#pump(stream);
    this.#beginWaiting();
  }

  #set(setting: number, value: number): void {
    if (setting === MAX_CONCURRENT_STREAMS) this.#streamsMax = value;
    else if (setting === MAX_FRAME_SIZE) this.#frameMax = value;
    else if (setting === INITIAL_WINDOW_SIZE) {
      for (const stream of this.#streams.values()) stream.window += value - this.#streamWindow;
      this.#streamWindow = value;
    }
  }

  #onGoAway(lastId: number): void {
    this.#close();
    const unseen = [...[...this.#streams.values()].filter(({ id }) => id > lastId), ...this.#waiting];
    this.#waiting = [];
    for (const stream of unseen) {
      if (stream.id !== 0) this.#forget(stream);
      this.#end(stream, "the server takes no more calls on this connection", true);
    }
    if (this.#streams.size === 0) this.destroy("the server closes the connection");
  }

  #onWindow(id: number, bytes: number): void {
    if (id === 0) {
      this.#window += bytes;
      for (const stream of [...this.#streams.values()]) this.#pump(stream);
      return;
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.window += bytes;
    this.#pump(stream);
  }

  #forget(stream: Http2Stream): void {
    this.#streams.delete(stream.id);
    this.#beginWaiting();
    if (this.isClosing && this.#streams.size === 0 && this.#waiting.length === 0) this.#later(() => this.#endIdle());
  }

  #endIdle(): void {
    if (this.#streams.size === 0) this.destroy("the connection is not used any more");
  }

  #beginWaiting(): void {
    while (this.#streams.size < this.#streamsMax) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#begin(next);
    }
  }

  #end(stream: Http2Stream, reason: string | undefined, unsent: boolean): void {
    if (stream.isOver) return;
    stream.isOver = true;
    stream.handlers.onEnd(reason, unsent);
  }
}

/** OpenSSL's messages name its own source files; what it is about is beside them. */
function wordsOf(error: Error & { readonly library?: unknown; readonly reason?: unknown }): string {
  return typeof error.reason === "string" && error.library !== undefined ? `TLS: ${error.reason}` : error.message;
}
