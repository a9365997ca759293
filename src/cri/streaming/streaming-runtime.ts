import type { Duplex, Readable, Writable } from "node:stream";

/** The size of a terminal in characters. */
export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

/** What a process in a container is connected with. Streams that nobody asked for are absent. */
export interface ProcessStreams {
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  /** Absent with a terminal: everything comes out of `stdout`. */
  readonly stderr?: Writable;
  readonly tty: boolean;
  /** Told of every change of the terminal's size. */
  readonly onResize: (listener: (size: TerminalSize) => void) => void;
  /** Aborted when nobody is there any more. */
  readonly signal: AbortSignal;
}

/** What the streaming server asks of the runtime behind it (CRI's `streaming.Runtime`). Rejections are told to the client. */
export interface StreamingRuntime {
  /** Runs a command to its end; resolves with its exit code. */
  exec(containerId: string, command: readonly string[], streams: ProcessStreams): Promise<number>;
  /** Connects with the container's own process until it, or the connection, ends. */
  attach(containerId: string, streams: ProcessStreams): Promise<void>;
  /** Connects with a port of the sandbox until either side ends. */
  portForward(sandboxId: string, port: number, stream: Duplex): Promise<void>;
}

/** A connection to a port of a sandbox broke off; others over the same connection are not concerned. */
export class ConnectionBrokenError extends Error {
  override readonly name = "ConnectionBrokenError";
}
