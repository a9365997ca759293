import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { isRefusal, sendRefusal } from "#apimachinery/httpstream/refusal.ts";
import type { SpdyConnection } from "#apimachinery/httpstream/spdy/spdy-connection.ts";
import type { SpdyStream } from "#apimachinery/httpstream/spdy/spdy-stream.ts";
import { acceptSpdy } from "#apimachinery/httpstream/spdy/upgrade.ts";
import { realClock } from "#base/clock.ts";

/** The streams of a command, by type. */
export type CommandStreams = Readonly<Record<string, SpdyStream>>;

/** Serves `exec` and `attach` as a kubelet does: `run` gets the streams once all that the query asks for are there. */
export function serveCommand(
  request: IncomingMessage,
  socket: Duplex,
  run: (streams: CommandStreams, query: URLSearchParams, connection: SpdyConnection) => void,
): void {
  const query = new URLSearchParams(request.url?.split("?")[1] ?? "");
  const wanted = ["error"];
  if (query.get("input") === "1") wanted.push("stdin");
  if (query.get("output") === "1") wanted.push("stdout");
  if (query.get("error") === "1" && query.get("tty") !== "1") wanted.push("stderr");
  if (query.get("tty") === "1") wanted.push("resize");
  const streams: Record<string, SpdyStream> = {};
  const upgraded = acceptSpdy(request, socket, ["v4.channel.k8s.io"], {
    clock: realClock,
    onStream: (stream) => {
      streams[stream.headers.get("streamtype") ?? ""] = stream;
      if (wanted.every((type) => streams[type] !== undefined)) {
        // The last one is accepted when this returns.
        setImmediate(() => run(streams, query, upgraded.connection));
      }
    },
  }) as { connection: SpdyConnection };
  if (isRefusal(upgraded)) sendRefusal(socket, upgraded);
}

/** Tells how the command ended, and ends all. */
export function finish(streams: CommandStreams, exitCode: number): void {
  const { error, ...others } = streams;
  for (const stream of Object.values(others)) stream.end();
  const failure = {
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] },
  };
  error?.end(JSON.stringify(exitCode === 0 ? { metadata: {}, status: "Success" } : failure));
}

/** Serves `portForward` as a kubelet does: what is sent to a port comes back, with the port before it. */
export function servePorts(request: IncomingMessage, socket: Duplex): void {
  const upgraded = acceptSpdy(request, socket, ["portforward.k8s.io"], {
    clock: realClock,
    onStream: (stream) => {
      if (stream.headers.get("streamtype") === "error") stream.end();
      else {
        const port = stream.headers.get("port") ?? "";
        stream.once("data", (chunk: Buffer) => {
          stream.write(`${port}: ${chunk}`);
          stream.pipe(stream);
        });
      }
    },
  });
  if (isRefusal(upgraded)) sendRefusal(socket, upgraded);
}
