import { isRefusal, type Refusal } from "#apimachinery/httpstream/refusal.ts";
import { ChannelConnection, type ChannelType } from "#apimachinery/httpstream/websocket/channels.ts";
import { acceptWebSocket } from "#apimachinery/httpstream/websocket/upgrade.ts";
import { statusText } from "./command-status.ts";
import type { CommandConnection, RemoteCommandOptions, StreamingLimits, UpgradeCall } from "./remote-command.ts";

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const RESIZE = 4;
const WITH_STATUS: readonly string[] = ["v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io"];
/** The first for clients that name none. */
const PROTOCOLS = ["", "channel.k8s.io", "base64.channel.k8s.io", ...WITH_STATUS];

/** Takes a client that speaks WebSocket: all its channels are there at once. */
export function acceptWebSocketCommand(
  { request, socket, head }: UpgradeCall,
  { stdin, stdout, stderr }: RemoteCommandOptions,
  { clock, idleTimeoutMs }: StreamingLimits,
): CommandConnection | Refusal {
  const accepted = acceptWebSocket(request, socket, PROTOCOLS);
  if (isRefusal(accepted)) return accepted;
  const { protocol } = accepted;
  const writable = (wanted: boolean): ChannelType => (wanted ? "write" : "ignore");
  const types: readonly ChannelType[] = [stdin ? "read" : "ignore", writable(stdout), writable(stderr), "write", "read"];
  const connection = new ChannelConnection(socket, { protocol, channels: types, clock, idleTimeoutMs, head });
  // An empty message tells the client that there is somebody.
  connection.sendEmpty(stdout ? STDOUT : stderr ? STDERR : ERROR);
  const { channels } = connection;
  return {
    stdin: stdin ? channels[STDIN] : undefined,
    stdout: stdout ? channels[STDOUT] : undefined,
    stderr: stderr ? channels[STDERR] : undefined,
    resize: channels[RESIZE],
    async writeStatus(status) {
      const text = WITH_STATUS.includes(protocol) ? JSON.stringify(status) : statusText(status);
      await new Promise<void>((resolve) => {
        if (text === "") resolve();
        else channels[ERROR]?.write(text, () => resolve());
      });
    },
    close: () => connection.close(),
    closed: connection.connection.closed,
  };
}
