import type { IncomingHttpHeaders } from "node:http";

/** The headers by which the ends of an upgraded connection agree on what is said over it. */
export const HEADER_PROTOCOL_VERSION = "X-Stream-Protocol-Version";
export const HEADER_ACCEPTED_PROTOCOL_VERSIONS = "X-Accepted-Stream-Protocol-Versions";
export const SPDY_31 = "SPDY/3.1";

/** A request to go on with another protocol (upstream's `httpstream.IsUpgradeRequest`). */
export function isUpgradeRequest(headers: IncomingHttpHeaders): boolean {
  return (headers.connection ?? "").toLowerCase().includes("upgrade");
}

/** A request to go on with SPDY/3.1. */
export function isSpdyRequest(headers: IncomingHttpHeaders): boolean {
  return (
    isUpgradeRequest(headers) &&
    String(headers.upgrade ?? "")
      .toLowerCase()
      .includes("spdy/3.1")
  );
}

/** A request to go on with WebSocket frames. */
export function isWebSocketRequest(headers: IncomingHttpHeaders): boolean {
  return isUpgradeRequest(headers) && String(headers.upgrade ?? "").toLowerCase() === "websocket";
}

/** The subprotocols that a WebSocket client would speak, the dearest first. */
export function webSocketProtocols(headers: IncomingHttpHeaders): readonly string[] {
  return commaSeparated(headers["sec-websocket-protocol"]);
}

/** The words of a header that may come several times. */
export function commaSeparated(header: string | readonly string[] | undefined): readonly string[] {
  const values = header === undefined ? [] : typeof header === "string" ? [header] : header;
  return values.flatMap((value) => value.split(",").map((word) => word.trim())).filter((word) => word !== "");
}
