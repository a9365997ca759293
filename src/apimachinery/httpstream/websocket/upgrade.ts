import type { IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import { type Refusal, switchProtocols } from "../refusal.ts";
import { isWebSocketRequest, webSocketProtocols } from "../upgrade-headers.ts";
import { acceptKey } from "./frames.ts";

/** The key is 16 bytes in Base64 (RFC 6455, section 4.1). */
const KEY = /^[A-Za-z0-9+/]{22}==$/;

/**
 * A server's side of the opening handshake: gives the chosen subprotocol, empty when neither end names one, after it
 * has answered; or a {@link Refusal}, which `sendRefusal` sends. `protocols` may have the empty one, for clients that
 * name none.
 */
export function acceptWebSocket(
  request: { readonly headers: IncomingHttpHeaders },
  socket: Duplex,
  protocols: readonly string[],
): { readonly protocol: string } | Refusal {
  const { headers } = request;
  const key = headers["sec-websocket-key"];
  if (!isWebSocketRequest(headers) || key === undefined || !KEY.test(key)) return refused(400, "not a WebSocket request", {});
  const version = String(headers["sec-websocket-version"] ?? "");
  if (version !== "13") return refused(400, "bad WebSocket version", { "Sec-WebSocket-Version": "13" });
  const wanted = webSocketProtocols(headers);
  const protocol = (wanted.length === 0 ? [""] : wanted).find((one) => protocols.includes(one));
  if (protocol === undefined) {
    const both = `[${wanted.join(" ")}]; supports [${protocols.join(" ")}]`;
    return refused(403, `requested protocol(s) are not supported: ${both}`, {});
  }
  switchProtocols(socket, {
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Accept": acceptKey(key),
    ...(protocol === "" ? {} : { "Sec-WebSocket-Protocol": protocol }),
  });
  return { protocol };
}

function refused(status: number, message: string, headers: Refusal["headers"]): Refusal {
  return { status, message, headers };
}
