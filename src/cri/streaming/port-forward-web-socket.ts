import type { Duplex } from "node:stream";
import { isRefusal, type Refusal } from "#apimachinery/httpstream/refusal.ts";
import { ChannelConnection, type ChannelType } from "#apimachinery/httpstream/websocket/channels.ts";
import { acceptWebSocket } from "#apimachinery/httpstream/websocket/upgrade.ts";
import type { DescribeForwardError, Forward } from "./port-forward.ts";
import type { StreamingLimits, UpgradeCall } from "./remote-command.ts";

/** The first for clients that name none. */
const PROTOCOLS = ["", "v4.channel.k8s.io", "v4.base64.channel.k8s.io"];

/**
 * Serves port-forward over a WebSocket: one connection to each port that the request names, with a channel for its bytes
 * and one for what goes wrong. Each channel begins with the port, in two bytes, the lower first. Resolves when all have
 * ended.
 */
export async function forwardOverWebSocket(
  { request, socket, head }: UpgradeCall,
  ports: readonly number[],
  { clock, idleTimeoutMs }: StreamingLimits,
  forward: Forward,
  describe: DescribeForwardError,
): Promise<Refusal | undefined> {
  const accepted = acceptWebSocket(request, socket, PROTOCOLS);
  if (isRefusal(accepted)) return accepted;
  const types = ports.flatMap((): readonly ChannelType[] => ["readWrite", "write"]);
  const connection = new ChannelConnection(socket, { protocol: accepted.protocol, channels: types, clock, idleTimeoutMs, head });
  const run = async (port: number, data: Duplex, error: Duplex): Promise<void> => {
    const bytes = Buffer.alloc(2);
    bytes.writeUInt16LE(port);
    data.write(bytes);
    error.write(bytes);
    await forward(port, data).catch((reason: Error) => error.write(describe(port, reason)));
  };
  const { channels } = connection;
  const all = ports.map(async (port, i) => {
    const [data, error] = [channels[2 * i], channels[2 * i + 1]];
    if (data !== undefined && error !== undefined) await run(port, data, error);
  });
  await Promise.all(all);
  connection.close();
  return undefined;
}
