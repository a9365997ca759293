import type { IncomingMessage } from "node:http";
import type { Duplex, Readable, Writable } from "node:stream";
import { isRefusal, sendRefusal } from "#apimachinery/httpstream/refusal.ts";
import { isWebSocketRequest } from "#apimachinery/httpstream/upgrade-headers.ts";
import type { Clock } from "#base/clock.ts";
import { type CommandStatus, failureStatus, SUCCESS } from "./command-status.ts";
import { acceptSpdyCommand } from "./remote-command-spdy.ts";
import { acceptWebSocketCommand } from "./remote-command-web-socket.ts";
import { followResizes } from "./resize-events.ts";
import type { ProcessStreams } from "./streaming-runtime.ts";

/** Which streams are asked for. */
export interface RemoteCommandOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  /** Never with a terminal. */
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** What the server is told about connections. */
export interface StreamingLimits {
  readonly clock: Clock;
  /** How long a connection may be silent, in milliseconds. */
  readonly idleTimeoutMs: number;
  /** How long a client may take to make its streams, in milliseconds. */
  readonly creationTimeoutMs: number;
}

/** A request to upgrade: its head, its connection, and what came with it. */
export interface UpgradeCall {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Uint8Array;
}

/** A client's streams, once all of them are there. */
export interface CommandConnection {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  readonly resize: Readable | undefined;
  /** Tells how the command ended; resolves when it has been sent. */
  writeStatus(status: CommandStatus): Promise<void>;
  /** Ends the connection when all that was written has been sent. */
  close(): void;
  readonly closed: Promise<void>;
}

/** What is run, for the words by which a failure is told. */
export interface RemoteCommand {
  readonly command: readonly string[];
  readonly describeFailure: (error: Error) => CommandStatus;
}

/**
 * Serves one exec or attach: takes the client's streams, lets `run` use them, and tells how it ended (upstream's
 * `remotecommand.ServeExec` and `ServeAttach`). `run` gives an exit code, or nothing where there is none.
 */
export async function serveRemoteCommand(
  call: UpgradeCall,
  options: RemoteCommandOptions,
  limits: StreamingLimits,
  { command, describeFailure }: RemoteCommand,
  run: (streams: ProcessStreams) => Promise<number | undefined>,
): Promise<void> {
  const isWebSocket = isWebSocketRequest(call.request.headers);
  const connection = isWebSocket ? acceptWebSocketCommand(call, options, limits) : await acceptSpdyCommand(call, options, limits);
  if (connection === undefined) return;
  if (isRefusal(connection)) {
    sendRefusal(call.socket, connection);
    return;
  }
  const gone = new AbortController();
  void connection.closed.then(() => gone.abort(new Error("the client is gone")));
  const { stdin, stdout, stderr, resize } = connection;
  const resizes = followResizes(resize);
  let status: CommandStatus;
  try {
    const code = await run({
      ...(stdin === undefined ? {} : { stdin }),
      ...(stdout === undefined ? {} : { stdout }),
      ...(stderr === undefined ? {} : { stderr }),
      tty: options.tty,
      onResize: resizes,
      signal: gone.signal,
    });
    status = code === undefined || code === 0 ? SUCCESS : failureStatus(command, code);
  } catch (error) {
    status = describeFailure(error instanceof Error ? error : new Error(String(error)));
  }
  await Promise.all([finished(stdout), finished(stderr)]);
  await connection.writeStatus(status);
  connection.close();
}

/** Ends a stream; resolves when the other end has taken all, or is gone. */
export function finished(stream: Writable | undefined): Promise<void> {
  if (stream === undefined || stream.destroyed || stream.writableFinished) return Promise.resolve();
  return new Promise((resolve) => {
    stream
      .once("finish", resolve)
      .once("close", resolve)
      .once("error", () => resolve());
    stream.end();
  });
}
