import { isUpgradeRequest } from "#apimachinery/httpstream/upgrade-headers.ts";
import { isTunnelProtocol } from "#apimachinery/httpstream/websocket/channels.ts";
import { WebSocketTunnel } from "#apimachinery/httpstream/websocket/tunnel.ts";
import type { ApiResponse } from "../endpoints/response.ts";
import { plainText } from "../non-resource/answers.ts";
import { acceptClientWebSocket, spokenProtocols } from "./client-web-socket.ts";
import { splice } from "./splice.ts";
import { TAKEN_OVER } from "./taken-over.ts";
import { type ProxyRequest, proxyToBackend, type UpgradeAwareProxyOptions } from "./upgrade-aware-proxy.ts";

/** What stands before the name of a SPDY protocol in that of the WebSocket protocol that tunnels it. */
const PREFIX = "SPDY/3.1+";
/** Headers that say how the client would speak to this server. */
const OF_WEB_SOCKETS: ReadonlySet<string> = new Set([
  "sec-websocket-protocol",
  "sec-websocket-key",
  "sec-websocket-version",
  "sec-websocket-extensions",
]);

/** Whether a client would speak SPDY inside a WebSocket (upstream's `IsWebSocketRequestWithTunnelingProtocol`). */
export function wantsTunnel(headers: ProxyRequest["headers"]): boolean {
  const isWebSocket = isUpgradeRequest(headers as never) && String(headers.upgrade ?? "").toLowerCase() === "websocket";
  return isWebSocket && spokenProtocols(headers).some(isTunnelProtocol);
}

/**
 * Carries the bytes of a SPDY connection to the backend in the messages of a WebSocket (KEP-4006): the backend is asked for
 * SPDY, and when it agrees the client gets its WebSocket. After upstream's `TunnelingHandler`.
 */
export function tunnelToBackend(options: UpgradeAwareProxyOptions, request: ProxyRequest): Promise<ApiResponse> {
  const protocols = spokenProtocols(request.headers)
    .filter(isTunnelProtocol)
    .map((protocol) => protocol.slice(PREFIX.length));
  const headers: Record<string, string | readonly string[] | undefined> = {};
  for (const [name, value] of Object.entries(request.headers)) if (!OF_WEB_SOCKETS.has(name)) headers[name] = value;
  headers.upgrade = "SPDY/3.1";
  headers["x-stream-protocol-version"] = protocols;
  const { connection, signal } = request;
  const { clock, maxBytesPerSecond } = options;
  const asked: ProxyRequest = { ...request, method: "POST", headers, connection: withHeaders(connection, headers) };
  const join: UpgradeAwareProxyOptions["join"] = (answer, backend) => {
    const upgrade = String(answer.headers.upgrade ?? "").toLowerCase();
    if (!isUpgradeRequest(answer.headers) || !upgrade.includes("spdy/3.1")) {
      backend.destroy();
      return plainText(500, "unable to upgrade: missing upgrade headers in response\n");
    }
    const chosen = String(answer.headers["x-stream-protocol-version"] ?? "").trim();
    const accepted = acceptClientWebSocket(request.headers, connection, chosen === "" ? [""] : [PREFIX + chosen]);
    if ("refused" in accepted) {
      backend.destroy();
      return accepted.refused;
    }
    void splice(new WebSocketTunnel(accepted.socket, { clock }), backend, { clock, signal, maxBytesPerSecond });
    return TAKEN_OVER;
  };
  return proxyToBackend({ ...options, join }, asked);
}

/** The same client, seen as one that said other headers. */
function withHeaders(connection: ProxyRequest["connection"], headers: ProxyRequest["headers"]): ProxyRequest["connection"] {
  if (connection === undefined) return undefined;
  return {
    url: connection.url,
    remoteAddress: connection.remoteAddress,
    headerLines: (name) => {
      const value = headers[name];
      return value === undefined || typeof value === "string" ? connectionLines(connection, name, value) : value;
    },
    bodyStream: () => undefined,
    takeOver: () => connection.takeOver(),
  };
}

function connectionLines(
  connection: NonNullable<ProxyRequest["connection"]>,
  name: string,
  value: string | undefined,
): readonly string[] {
  if (value === undefined) return [];
  const lines = connection.headerLines(name);
  return lines.join(", ") === value ? lines : [value];
}
