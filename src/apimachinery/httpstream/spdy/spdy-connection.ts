import type { Duplex } from "node:stream";
import type { Clock, Timer } from "#base/clock.ts";
import { IdleTimer } from "../idle-timer.ts";
import { FrameReader } from "./frame-reader.ts";
import { dataFrameHead, FrameWriter } from "./frame-writer.ts";
import { type Frame, INITIAL_WINDOW_BYTES } from "./frames.ts";
import type { StreamHeaders } from "./header-block.ts";
import { ResetStatus, SpdyError } from "./spdy-error.ts";
import { SpdyStream, type StreamHost } from "./spdy-stream.ts";

/** Options of {@link SpdyConnection}. */
export interface SpdyConnectionOptions {
  /** Clients' streams have odd numbers, servers' even ones. */
  readonly role: "client" | "server";
  readonly clock: Clock;
  /** A stream that the other end made; throws to refuse it. When absent, all are refused. */
  readonly onStream?: (stream: SpdyStream) => void;
  /** The connection is closed after so many milliseconds without a byte; never when 0 or absent. */
  readonly idleTimeoutMs?: number;
  /** What was read of the connection before it began. */
  readonly head?: Uint8Array;
}

/** Open streams that the other end may have made; more are refused. */
export const STREAMS_MAX = 1000;
/** How much of a stream may wait here to be read, in bytes: the other end is told, and the connection is not read beyond it. */
export const RECEIVE_WINDOW_BYTES: number = 256 * 1024;
/** Pings that have no answer yet. */
const PINGS_MAX = 100;
const STREAM_ID_MAX = 0x7fffffff;
const WINDOW_BYTES_MAX = 0x7fffffff;
/** How much may wait to be sent when it is not streams' data, which waits elsewhere: who asks much and reads nothing is let go. */
const CONTROL_BACKLOG_BYTES_MAX: number = 256 * 1024;
/** How long the other end may take to close its side of the connection, in milliseconds. */
const CLOSE_TIMEOUT_MS = 5000;
const GOAWAY_OK = 0;
const GOAWAY_PROTOCOL_ERROR = 1;

/**
 * A SPDY/3.1 connection over a socket, as moby/spdystream speaks it: one that shows no flow control of its own need not
 * be told when to send, it is held back by the socket. Windows of the whole connection are not used.
 */
export class SpdyConnection {
  /** Resolves when the socket is closed, however that came. */
  readonly closed: Promise<void>;
  readonly #socket: Duplex;
  readonly #options: SpdyConnectionOptions;
  readonly #reader = new FrameReader();
  readonly #writer = new FrameWriter();
  readonly #host: StreamHost;
  readonly #streams = new Map<number, SpdyStream>();
  readonly #full = new Set<SpdyStream>();
  readonly #waitingForDrain: (() => void)[] = [];
  readonly #pings = new Map<number, () => void>();
  readonly #idle: IdleTimer;
  #closeTimer: Timer | undefined;
  #nextStreamId: number;
  #nextPingId: number;
  #lastRemoteId = 0;
  #remoteStreams = 0;
  #peerWindow = INITIAL_WINDOW_BYTES;
  #peerHasWindows = false;
  #goneAway = false;
  #ended = false;

  constructor(socket: Duplex, options: SpdyConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#nextStreamId = options.role === "client" ? 1 : 2;
    this.#nextPingId = this.#nextStreamId;
    this.#idle = new IdleTimer(options.clock, options.idleTimeoutMs ?? 0, () =>
      this.destroy(new Error("the connection is idle")),
    );
    this.#host = this.#makeHost();
    this.closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("drain", () => this.#drained());
    socket.on("error", () => undefined);
    socket.once("end", () => this.#socketEnded());
    socket.once("close", () => this.#socketClosed());
    this.#send({ type: "settings", initialWindow: RECEIVE_WINDOW_BYTES });
    if (options.head !== undefined && options.head.length > 0) socket.unshift(options.head);
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    if (socket.destroyed) this.#socketClosed();
  }

  /** Makes a stream. What is written to it waits until the other end has accepted it. Throws when the connection takes no more. */
  createStream(headers: Readonly<Record<string, string>>): SpdyStream {
    if (this.#ended || this.#goneAway) throw new Error("the connection takes no more streams");
    const id = this.#nextStreamId;
    if (id > STREAM_ID_MAX) throw new Error("the connection has no more stream ids");
    this.#nextStreamId += 2;
    const named = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    const stream = this.#open(id, named);
    this.#send({ type: "synStream", streamId: id, headers: named, fin: false, unidirectional: false });
    return stream;
  }

  /** Resolves when the other end has answered; rejects when the connection closes first. */
  ping(): Promise<void> {
    if (this.#ended || this.#pings.size >= PINGS_MAX) return Promise.reject(new Error("the connection does not answer"));
    const id = this.#nextPingId;
    this.#nextPingId = id + 2 > 0xffffffff ? this.#nextPingId % 2 || 2 : id + 2;
    this.#send({ type: "ping", id });
    return new Promise((resolve, reject) => {
      this.#pings.set(id, resolve);
      void this.closed.then(() => reject(new Error("the connection is closed")));
    });
  }

  /** Says that it goes, resets what is open, and ends the socket when all that was written has been sent. */
  close(): void {
    if (this.#ended) return;
    for (const stream of [...this.#streams.values()]) stream.reset();
    this.#send({ type: "goAway", lastStreamId: this.#lastRemoteId, status: GOAWAY_OK });
    this.#endSocket();
  }

  /** Ends the socket at once. */
  destroy(error?: Error): void {
    this.#ended = true;
    this.#loseStreams(error ?? new Error("the connection is closed"));
    this.#socket.destroy();
  }

  #makeHost(): StreamHost {
    const has = (): boolean => this.#peerHasWindows;
    return {
      get obeysWindows() {
        return has();
      },
      sendData: (streamId, data, fin, done) => this.#sendData(streamId, data, fin, done),
      sendReset: (streamId, status) => this.#send({ type: "rstStream", streamId, status }),
      sendWindowUpdate: (streamId, delta) => this.#send({ type: "windowUpdate", streamId, delta }),
      setFull: (stream, full) => this.#setFull(stream, full),
      release: (stream) => this.#release(stream),
    };
  }

  #open(id: number, headers: StreamHeaders): SpdyStream {
    const start = { id, headers, sendWindow: this.#peerWindow, receiveWindow: RECEIVE_WINDOW_BYTES };
    const stream = new SpdyStream(start, this.#host);
    this.#streams.set(id, stream);
    if (this.#isRemote(id)) this.#remoteStreams++;
    return stream;
  }

  #release(stream: SpdyStream): void {
    if (!this.#streams.delete(stream.id)) return;
    this.#setFull(stream, false);
    if (this.#isRemote(stream.id)) this.#remoteStreams--;
    if (this.#goneAway && this.#streams.size === 0) this.#endSocket();
  }

  #isRemote(id: number): boolean {
    return id % 2 !== this.#nextStreamId % 2;
  }

  #received(chunk: Uint8Array): void {
    this.#idle.touch();
    try {
      for (const frame of this.#reader.read(chunk)) this.#handle(frame);
    } catch (error) {
      if (!(error instanceof SpdyError)) throw error;
      this.#send({ type: "goAway", lastStreamId: this.#lastRemoteId, status: GOAWAY_PROTOCOL_ERROR });
      this.destroy(error);
    }
  }

  #handle(frame: Frame): void {
    switch (frame.type) {
      case "synStream":
        this.#accept(frame);
        break;
      case "synReply": {
        const stream = this.#streams.get(frame.streamId);
        stream?.accepted();
        if (frame.fin) stream?.dataReceived(Buffer.alloc(0), true);
        break;
      }
      case "headers":
        if (frame.fin) this.#streams.get(frame.streamId)?.dataReceived(Buffer.alloc(0), true);
        break;
      case "data":
        this.#streams.get(frame.streamId)?.dataReceived(frame.data, frame.fin);
        break;
      case "rstStream":
        this.#streams.get(frame.streamId)?.resetReceived(frame.status);
        break;
      case "ping":
        if (this.#isRemote(frame.id)) this.#send(frame);
        else this.#pings.get(frame.id)?.();
        this.#pings.delete(frame.id);
        break;
      case "goAway":
        this.#goneAway = true;
        if (this.#streams.size === 0) this.#endSocket();
        break;
      case "settings":
        if (frame.initialWindow !== undefined) this.#setPeerWindow(frame.initialWindow);
        break;
      case "windowUpdate":
        this.#peerHasWindows = true;
        this.#streams.get(frame.streamId)?.windowChanged(Math.min(frame.delta, WINDOW_BYTES_MAX));
    }
  }

  #accept(frame: Frame & { readonly type: "synStream" }): void {
    const { streamId, headers, fin, unidirectional } = frame;
    const refuse = (status: number): void => this.#send({ type: "rstStream", streamId, status });
    if (this.#goneAway || this.#ended) return;
    if (!this.#isRemote(streamId) || streamId <= this.#lastRemoteId) {
      refuse(ResetStatus.protocolError);
      return;
    }
    this.#lastRemoteId = streamId;
    const { onStream } = this.#options;
    if (onStream === undefined || this.#remoteStreams >= STREAMS_MAX) {
      refuse(ResetStatus.refusedStream);
      return;
    }
    const stream = this.#open(streamId, headers);
    try {
      onStream(stream);
    } catch {
      stream.reset();
      return;
    }
    this.#send({ type: "synReply", streamId, headers: new Map(), fin: unidirectional });
    if (unidirectional) stream.closeLocal();
    stream.accepted();
    if (fin) stream.dataReceived(Buffer.alloc(0), true);
  }

  #setPeerWindow(bytes: number): void {
    const delta = bytes - this.#peerWindow;
    this.#peerWindow = bytes;
    this.#peerHasWindows = true;
    for (const stream of this.#streams.values()) stream.windowChanged(delta);
  }

  #send(frame: Frame): void {
    if (this.#ended) return;
    this.#socket.write(this.#writer.write(frame));
    if (this.#socket.writableLength > CONTROL_BACKLOG_BYTES_MAX) this.destroy(new SpdyError("the other end reads nothing"));
  }

  #sendData(streamId: number, data: Buffer, fin: boolean, done: () => void): void {
    if (this.#ended) {
      done();
      return;
    }
    if (this.#socket.writableNeedDrain) {
      this.#waitingForDrain.push(() => this.#sendData(streamId, data, fin, done));
      return;
    }
    this.#idle.touch();
    this.#socket.cork();
    this.#socket.write(dataFrameHead(streamId, data.length, fin));
    if (data.length > 0) this.#socket.write(data);
    this.#socket.uncork();
    done();
  }

  /** Lets those write who have waited, in their order, as far as the socket takes it. */
  #drained(): void {
    while (this.#waitingForDrain.length > 0 && (this.#ended || !this.#socket.writableNeedDrain))
      this.#waitingForDrain.shift()?.();
  }

  #setFull(stream: SpdyStream, full: boolean): void {
    if (full) this.#full.add(stream);
    else this.#full.delete(stream);
    if (this.#full.size > 0) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  #endSocket(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#idle.stop();
    this.#loseStreams(new Error("the connection is closed"));
    // To close with bytes unread would lose those that were sent last.
    this.#socket.resume();
    this.#socket.end();
    this.#closeTimer = this.#options.clock.setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS, { unref: true });
  }

  #socketEnded(): void {
    // Who sends no more does not read any more either, as spdystream.
    if (!this.#ended) this.#endSocket();
    else if (this.#socket.writableFinished) this.#socket.destroy();
    else this.#socket.once("finish", () => this.#socket.destroy());
  }

  #socketClosed(): void {
    this.#ended = true;
    this.#idle.stop();
    this.#closeTimer?.clear();
    this.#loseStreams(new Error("the connection is closed"));
    this.#drained();
  }

  #loseStreams(error: Error): void {
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const stream of streams) stream.connectionLost(error);
  }
}
