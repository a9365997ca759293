import type { Writable } from "node:stream";
import { isRefusal, type Refusal } from "#apimachinery/httpstream/refusal.ts";
import type { SpdyStream } from "#apimachinery/httpstream/spdy/spdy-stream.ts";
import { acceptSpdy } from "#apimachinery/httpstream/spdy/upgrade.ts";
import { statusText } from "./command-status.ts";
import type { CommandConnection, RemoteCommandOptions, StreamingLimits, UpgradeCall } from "./remote-command.ts";

/** The versions of the streams' meaning; the second ends stdin properly, the third has sizes, the fourth has a Status. */
const PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"];
const WITH_STATUS: readonly string[] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
const WITH_RESIZE: readonly string[] = [...WITH_STATUS, "v3.channel.k8s.io"];
const WITHOUT_STDIN_CLOSE = "channel.k8s.io";

/** Takes a client that speaks SPDY; resolves when it has made all its streams, with nothing when it did not in time. */
export async function acceptSpdyCommand(
  { request, socket, head }: UpgradeCall,
  options: RemoteCommandOptions,
  { clock, idleTimeoutMs, creationTimeoutMs }: StreamingLimits,
): Promise<CommandConnection | Refusal | undefined> {
  const streams = new Map<string, SpdyStream>();
  const waiting = { wake: (): void => {} };
  const onStream = (stream: SpdyStream): void => {
    const type = stream.headers.get("streamtype") ?? "";
    streams.set(type, stream);
    // The reply goes out behind this.
    void stream.opened.then(
      () => waiting.wake(),
      () => undefined,
    );
  };
  const upgraded = acceptSpdy(request, socket, PROTOCOLS, { clock, idleTimeoutMs, head, onStream });
  if (isRefusal(upgraded)) return upgraded;
  const { connection, protocol } = upgraded;
  const wanted = wantedStreams(options, protocol);
  const complete = new Promise<boolean>((resolve) => {
    waiting.wake = () => {
      if (wanted.every((type) => streams.has(type))) resolve(true);
    };
    const timer = clock.setTimeout(() => resolve(false), creationTimeoutMs, { unref: true });
    void connection.closed.then(() => resolve(false)).then(() => timer.clear());
    waiting.wake();
  });
  if (!(await complete)) {
    connection.close();
    return undefined;
  }
  const error = streams.get("error");
  if (protocol === WITHOUT_STDIN_CLOSE) streams.get("stdin")?.end();
  return {
    stdin: options.stdin ? streams.get("stdin") : undefined,
    stdout: options.stdout ? streams.get("stdout") : undefined,
    stderr: options.stderr ? streams.get("stderr") : undefined,
    resize: streams.get("resize"),
    writeStatus: (status) => endWith(error, WITH_STATUS.includes(protocol) ? JSON.stringify(status) : statusText(status)),
    close: () => connection.close(),
    closed: connection.closed,
  };
}

function wantedStreams({ stdin, stdout, stderr, tty }: RemoteCommandOptions, protocol: string): readonly string[] {
  return [
    "error",
    ...(stdin ? ["stdin"] : []),
    ...(stdout ? ["stdout"] : []),
    ...(stderr ? ["stderr"] : []),
    ...(tty && WITH_RESIZE.includes(protocol) ? ["resize"] : []),
  ];
}

/** Says the last words; resolves when they have been sent, or nobody is there to hear them. */
function endWith(stream: Writable | undefined, text: string): Promise<void> {
  if (stream === undefined || stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    stream
      .once("finish", resolve)
      .once("close", resolve)
      .once("error", () => resolve());
    stream.end(text);
  });
}
