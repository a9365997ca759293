import type { Duplex } from "node:stream";
import { isRefusal, sendRefusal } from "#apimachinery/httpstream/refusal.ts";
import { isWebSocketRequest, webSocketProtocols } from "#apimachinery/httpstream/upgrade-headers.ts";
import { isTunnelProtocol } from "#apimachinery/httpstream/websocket/channels.ts";
import { PORT_FORWARD_TUNNEL_PROTOCOL, WebSocketTunnel } from "#apimachinery/httpstream/websocket/tunnel.ts";
import { acceptWebSocket } from "#apimachinery/httpstream/websocket/upgrade.ts";
import { forwardOverSpdy } from "./port-forward-spdy.ts";
import { forwardOverWebSocket } from "./port-forward-web-socket.ts";
import type { StreamingLimits, UpgradeCall } from "./remote-command.ts";

/** Connects a stream with a port until either side ends; rejects with what went wrong. */
export type Forward = (port: number, stream: Duplex) => Promise<void>;

/** Whom the ports are forwarded to, for messages: `error forwarding port 80 to pod P, uid U: ...`. */
export type DescribeForwardError = (port: number, error: Error) => string;

/** Serves one port-forward: over SPDY, over SPDY in a WebSocket, or over a WebSocket's channels for the ports of the request. */
export async function servePortForward(
  call: UpgradeCall,
  ports: readonly number[],
  limits: StreamingLimits,
  forward: Forward,
  describe: DescribeForwardError,
): Promise<void> {
  const { request, socket, head } = call;
  if (!isWebSocketRequest(request.headers)) {
    const refusal = await forwardOverSpdy(call, limits, forward, describe);
    if (refusal !== undefined) sendRefusal(socket, refusal);
    return;
  }
  if (!webSocketProtocols(request.headers).some(isTunnelProtocol)) {
    const refusal = await forwardOverWebSocket(call, ports, limits, forward, describe);
    if (refusal !== undefined) sendRefusal(socket, refusal);
    return;
  }
  const accepted = acceptWebSocket(request, socket, [PORT_FORWARD_TUNNEL_PROTOCOL]);
  if (isRefusal(accepted)) {
    sendRefusal(socket, accepted);
    return;
  }
  const tunnel = new WebSocketTunnel(socket, { clock: limits.clock, head });
  await forwardOverSpdy({ ...call, socket: tunnel, head: new Uint8Array() }, limits, forward, describe, true);
}
