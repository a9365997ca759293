import type { IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import { isRefusal, sendRefusal } from "#apimachinery/httpstream/refusal.ts";
import { commaSeparated } from "#apimachinery/httpstream/upgrade-headers.ts";
import { acceptWebSocket } from "#apimachinery/httpstream/websocket/upgrade.ts";
import type { ClientConnection } from "../endpoints/client-connection.ts";
import type { ApiResponse } from "../endpoints/response.ts";
import { plainText } from "../non-resource/answers.ts";
import type { RequestHeaders } from "../server/exchange.ts";
import { TAKEN_OVER } from "./taken-over.ts";

/** The subprotocol that carries a token, which is never the one that is spoken. */
const TOKEN_PROTOCOL = "base64url.bearer.authorization.k8s.io.";

/** The subprotocols that a client would speak, the dearest first; without the one that carries a token. */
export function spokenProtocols(headers: RequestHeaders): readonly string[] {
  return commaSeparated(headers["sec-websocket-protocol"]).filter((one) => !one.startsWith(TOKEN_PROTOCOL));
}

/** A WebSocket with a client, or the answer to a request that was for none; the client may have that already. */
export type ClientWebSocket = { readonly socket: Duplex; readonly protocol: string } | { readonly refused: ApiResponse };

/** Begins a WebSocket with a client. */
export function acceptClientWebSocket(
  headers: RequestHeaders,
  connection: ClientConnection | undefined,
  protocols: readonly string[],
): ClientWebSocket {
  const socket = connection?.takeOver();
  if (socket === undefined) return { refused: plainText(400, "the connection cannot be taken over\n") };
  const { "sec-websocket-protocol": _, ...rest } = headers;
  const spoken = spokenProtocols(headers);
  const asked = spoken.length === 0 ? rest : { ...rest, "sec-websocket-protocol": spoken.join(", ") };
  const accepted = acceptWebSocket({ headers: asked as IncomingHttpHeaders }, socket, protocols);
  if (!isRefusal(accepted)) return { socket, protocol: accepted.protocol };
  sendRefusal(socket, accepted);
  return { refused: { ...TAKEN_OVER, status: accepted.status } };
}
