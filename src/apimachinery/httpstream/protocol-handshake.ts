import type { IncomingHttpHeaders } from "node:http";
import type { Refusal } from "./refusal.ts";
import { commaSeparated, HEADER_ACCEPTED_PROTOCOL_VERSIONS, HEADER_PROTOCOL_VERSION } from "./upgrade-headers.ts";

/** The first of the client's protocols that the server speaks, or why there is none (upstream's `httpstream.Handshake`). */
export function negotiateProtocol(headers: IncomingHttpHeaders, serverProtocols: readonly string[]): string | Refusal {
  const value = headers[HEADER_PROTOCOL_VERSION.toLowerCase()];
  if (value === undefined) {
    const count = Object.keys(headers).length;
    return refused(400, `unable to upgrade: header ${HEADER_PROTOCOL_VERSION} does not exist in request with ${count} headers`);
  }
  const clientProtocols = commaSeparated(value);
  if (clientProtocols.length === 0) {
    return refused(400, `unable to upgrade: header ${HEADER_PROTOCOL_VERSION} contains [${value}], but no valid protocols`);
  }
  const chosen = clientProtocols.find((protocol) => serverProtocols.includes(protocol));
  if (chosen !== undefined) return chosen;
  const both = `client supports [${clientProtocols.join(" ")}], server accepts [${serverProtocols.join(" ")}]`;
  return {
    ...refused(403, `unable to upgrade: unable to negotiate protocol: ${both}`),
    headers: { [HEADER_ACCEPTED_PROTOCOL_VERSIONS]: serverProtocols },
  };
}

function refused(status: number, message: string): Refusal {
  return { status, message, headers: {} };
}
