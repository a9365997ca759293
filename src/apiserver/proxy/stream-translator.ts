import type { Duplex, Readable } from "node:stream";
import type { SpdyConnection } from "#apimachinery/httpstream/spdy/spdy-connection.ts";
import { dialSpdy, UpgradeFailureError } from "#apimachinery/httpstream/spdy/upgrade.ts";
import { isWebSocketRequest } from "#apimachinery/httpstream/upgrade-headers.ts";
import { ChannelConnection, type ChannelType } from "#apimachinery/httpstream/websocket/channels.ts";
import type { Clock } from "#base/clock.ts";
import type { ApiResponse } from "../endpoints/response.ts";
import { backendErrorText } from "./backend-error.ts";
import { type BackendTransport, DialError, hostPort } from "./backend-transport.ts";
import { acceptClientWebSocket, spokenProtocols } from "./client-web-socket.ts";
import { type CommandStatus, failed, statusOfErrorStream } from "./remote-command-status.ts";
import { TAKEN_OVER } from "./taken-over.ts";
import { Throttle } from "./throttle.ts";
import type { ProxyRequest, ProxyTargetLocation } from "./upgrade-aware-proxy.ts";
import { escapedPath } from "./url-reference.ts";

const V5 = "v5.channel.k8s.io";
/** What nodes may speak, the dearest first, as client-go. */
const SPDY_PROTOCOLS: readonly string[] = [V5, "v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"];
/** Upstream's `defaultIdleConnectionTimeout`, in milliseconds. */
const IDLE_TIMEOUT_MS: number = 4 * 60 * 60 * 1000;
/** How often the node has to show that it lives, in milliseconds. */
const PING_PERIOD_MS = 5_000;
/** Longest text of an error stream, in bytes. */
const ERROR_BYTES_MAX = 64 * 1024;
/** Numbers of the channels; those of the first three are the ones of the file descriptors. */
const Channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;

/** Which streams a command has. */
export interface CommandStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** Whether a client would speak `v5.channel.k8s.io`, which nodes need not know (upstream's `IsWebSocketRequestWithStreamCloseProtocol`). */
export function wantsTranslation(headers: ProxyRequest["headers"]): boolean {
  return isWebSocketRequest(headers as never) && spokenProtocols(headers).includes(V5);
}

/** Options of {@link translateToBackend}. */
export interface TranslationOptions {
  readonly location: ProxyTargetLocation;
  readonly transport: BackendTransport;
  readonly clock: Clock;
  readonly streams: CommandStreams;
  /** How much each stream may carry; any amount when 0 or absent. */
  readonly maxBytesPerSecond?: number | undefined;
  /** Told once how it ended, as an HTTP status. A command's own failure is a success of the translation. */
  readonly onEnd: (code: number) => void;
}

/**
 * Speaks WebSocket with the client and SPDY with the node (KEP-4006): each channel is a stream. The client has its
 * WebSocket before the node is asked, so that failures of the node come on the error channel. After upstream's
 * `StreamTranslatorHandler`.
 */
export function translateToBackend(options: TranslationOptions, request: ProxyRequest): ApiResponse {
  const { clock, streams } = options;
  const accepted = acceptClientWebSocket(request.headers, request.connection, [V5]);
  if ("refused" in accepted) {
    options.onEnd(400);
    return accepted.refused;
  }
  const client = new ChannelConnection(accepted.socket, {
    protocol: accepted.protocol,
    channels: channelTypes(streams),
    clock,
    idleTimeoutMs: IDLE_TIMEOUT_MS,
  });
  client.sendEmpty(streams.stdout ? Channel.stdout : streams.stderr ? Channel.stderr : Channel.error);
  void translate(client, options, request.signal);
  return TAKEN_OVER;
}

function channelTypes({ stdin, stdout, stderr }: CommandStreams): readonly ChannelType[] {
  return [stdin ? "read" : "ignore", stdout ? "write" : "ignore", stderr ? "write" : "ignore", "write", "read"];
}

/** Ends with both connections, whatever happens. */
async function translate(client: ChannelConnection, options: TranslationOptions, stopping: AbortSignal): Promise<void> {
  const { clock, transport, location, onEnd } = options;
  const gone = new AbortController();
  const leave = (): void => gone.abort(new Error("the client is gone"));
  void client.connection.closed.then(leave);
  stopping.addEventListener("abort", leave, { once: true });
  const host = hostPort(location.to);
  const path = `${escapedPath(location.path)}${location.query === undefined || location.query === "" ? "" : `?${location.query}`}`;
  let status: CommandStatus | undefined;
  let node: SpdyConnection | undefined;
  try {
    const socket = await transport.connect(location.to, gone.signal);
    gone.signal.addEventListener("abort", () => socket.destroy(), { once: true });
    const upgraded = await dialSpdy(socket, { method: "POST", path, host, protocols: SPDY_PROTOCOLS }, { clock });
    node = upgraded.connection;
    status = await runCommand(client, node, { ...options, protocol: upgraded.protocol });
  } catch (error) {
    status = statusOfFailure(error, `${location.to.scheme}://${host}${path}`);
  } finally {
    stopping.removeEventListener("abort", leave);
    onEnd(status?.code ?? 200);
    const errors = client.channels[Channel.error];
    if (status !== undefined && !gone.signal.aborted) errors?.write(JSON.stringify(status));
    client.close();
    node?.close();
    await client.connection.closed;
    node?.destroy();
  }
}

/** What client-go says where its SPDY connection did not come about; a Status that the node answered is told as it is. */
function statusOfFailure(error: unknown, url: string): CommandStatus {
  if (error instanceof UpgradeFailureError) return sentStatus(error.body) ?? failed(error.message);
  const text = backendErrorText(error);
  return failed(error instanceof DialError ? `error sending request: Post ${JSON.stringify(url)}: ${text}` : text);
}

function sentStatus(body: string): CommandStatus | undefined {
  try {
    const sent = JSON.parse(body) as CommandStatus & { readonly kind?: string };
    return sent.kind === "Status" ? sent : undefined;
  } catch {
    return undefined;
  }
}

async function runCommand(
  client: ChannelConnection,
  node: SpdyConnection,
  { streams, clock, protocol, maxBytesPerSecond = 0 }: TranslationOptions & { readonly protocol: string },
): Promise<CommandStatus> {
  const pace = (): Throttle | undefined => (maxBytesPerSecond === 0 ? undefined : new Throttle(maxBytesPerSecond, clock));
  const watch = clock.setInterval(() => void node.ping().catch(() => undefined), PING_PERIOD_MS, { unref: true });
  void node.closed.then(() => watch.clear());
  const errors = node.createStream({ streamType: "error" });
  const text = readAll(errors);
  // It may fail while outputs still are waited for.
  text.catch(() => undefined);
  errors.end();
  const outputs: Promise<void>[] = [];
  // In client-go's order: the node takes the first streams for these.
  if (streams.stdin) copyInput(channel(client, Channel.stdin), node.createStream({ streamType: "stdin" }), pace());
  if (streams.stdout)
    outputs.push(copyOutput(node.createStream({ streamType: "stdout" }), channel(client, Channel.stdout), pace()));
  if (streams.stderr && !streams.tty) {
    outputs.push(copyOutput(node.createStream({ streamType: "stderr" }), channel(client, Channel.stderr), pace()));
  }
  if (streams.tty && protocol !== "channel.k8s.io" && protocol !== "v2.channel.k8s.io") {
    copyInput(channel(client, Channel.resize), node.createStream({ streamType: "resize" }));
  }
  await Promise.all(outputs);
  return statusOfErrorStream(await text);
}

function channel(client: ChannelConnection, number: number): Duplex {
  const found = client.channels[number];
  if (found === undefined) throw new Error(`there is no channel ${number}`);
  return found;
}

/** What the client says goes to the node, up to its end. The node may stop listening. */
function copyInput(from: Duplex, to: Duplex, pace?: Throttle): void {
  if (pace === undefined) from.pipe(to);
  else from.pipe(pace).pipe(to);
  to.resume();
  to.once("close", () => {
    from.unpipe();
    pace?.destroy();
    from.resume();
  });
}

/** What the node says goes to the client, no faster than it listens. The channel stays open: its end is the connection's. */
async function copyOutput(from: Duplex, to: Duplex, pace?: Throttle): Promise<void> {
  const source = pace === undefined ? from : from.pipe(pace);
  from.once("close", () => {
    if (!from.readableEnded) pace?.destroy(new Error("the connection to the node was lost"));
  });
  // Destroying a stream at its end would reset it: the node may have closed the connection behind its last word, and a write
  // that fails for that keeps Node from reading this word.
  for await (const chunk of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    await new Promise<void>((resolve, reject) => to.write(chunk, (error) => (error ? reject(error) : resolve())));
  }
}

function readAll(stream: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    stream.on("data", (chunk: Buffer) => {
      length += chunk.byteLength;
      if (length <= ERROR_BYTES_MAX) chunks.push(chunk);
    });
    let ended = false;
    stream.once("end", () => {
      ended = true;
      resolve(Buffer.concat(chunks).toString("utf8"));
    });
    stream.once("close", () => {
      // Nodes may break the connection behind their last word.
      if (!ended && length > 0) resolve(Buffer.concat(chunks).toString("utf8"));
      else if (!ended) reject(new Error("error reading from error stream: the connection to the node was lost"));
    });
  });
}
