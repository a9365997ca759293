import { type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders, request } from "node:http";
import type { Duplex } from "node:stream";
import { negotiateProtocol } from "../protocol-handshake.ts";
import { type Refusal, switchProtocols } from "../refusal.ts";
import { HEADER_PROTOCOL_VERSION, isSpdyRequest, SPDY_31 } from "../upgrade-headers.ts";
import { SpdyConnection, type SpdyConnectionOptions } from "./spdy-connection.ts";

/** A connection after its upgrade, and what both ends agreed to say over it. */
export interface Upgraded {
  readonly connection: SpdyConnection;
  readonly protocol: string;
}

/** A request as a server sees it: `IncomingMessage` is one. */
export interface UpgradeRequest {
  readonly headers: IncomingHttpHeaders;
}

/**
 * A server's side: answers a request to upgrade, and begins. When it gives a {@link Refusal}, nothing has been sent
 * (`sendRefusal` sends it, `isRefusal` tells it).
 */
export function acceptSpdy(
  incoming: UpgradeRequest,
  socket: Duplex,
  protocols: readonly string[],
  options: Omit<SpdyConnectionOptions, "role">,
): Upgraded | Refusal {
  const protocol = negotiateProtocol(incoming.headers, protocols);
  if (typeof protocol !== "string") return protocol;
  if (!isSpdyRequest(incoming.headers)) {
    const seen = JSON.stringify(incoming.headers);
    return { status: 400, message: `unable to upgrade: missing upgrade headers in request: ${seen}`, headers: {} };
  }
  switchProtocols(socket, { [HEADER_PROTOCOL_VERSION]: protocol, Connection: "Upgrade", Upgrade: SPDY_31 });
  return { connection: new SpdyConnection(socket, { ...options, role: "server" }), protocol };
}

/** What a client asks for over a connection that it has. */
export interface SpdyDialRequest {
  readonly method: "GET" | "POST";
  /** With its query. */
  readonly path: string;
  /** For the Host header. */
  readonly host: string;
  readonly headers?: OutgoingHttpHeaders;
  /** The dearest first. */
  readonly protocols: readonly string[];
}

/** The server did not upgrade; it answered with a status and a text, which may be a Status of the API in JSON. */
export class UpgradeFailureError extends Error {
  override readonly name = "UpgradeFailureError";
  readonly status: number;
  readonly body: string;

  constructor(status: number, body: string) {
    super(`unable to upgrade connection: ${body.trim()}`);
    this.status = status;
    this.body = body;
  }
}

/** Longest answer that is read when a server does not upgrade, in bytes. */
const ANSWER_BYTES_MAX = 1024 * 1024;

/** A client's side, over a socket that is connected. Rejects with {@link UpgradeFailureError}, or with the socket's own error. */
export function dialSpdy(
  socket: Duplex,
  dial: SpdyDialRequest,
  options: Omit<SpdyConnectionOptions, "role" | "head">,
): Promise<Upgraded> {
  const headers: OutgoingHttpHeaders = {
    ...dial.headers,
    Host: dial.host,
    Connection: "Upgrade",
    Upgrade: SPDY_31,
    [HEADER_PROTOCOL_VERSION]: [...dial.protocols],
  };
  return new Promise((resolve, reject) => {
    const sent = request({ method: dial.method, path: dial.path, headers, createConnection: () => socket });
    sent.once("error", reject);
    sent.once("upgrade", (response, upgraded, head) => {
      const protocol = String(response.headers[HEADER_PROTOCOL_VERSION.toLowerCase()] ?? "");
      if (!isSpdyRequest(response.headers)) {
        upgraded.destroy();
        reject(new UpgradeFailureError(response.statusCode ?? 0, `the server speaks ${response.headers.upgrade}`));
      } else resolve({ connection: new SpdyConnection(upgraded, { ...options, role: "client", head }), protocol });
    });
    sent.once("response", (response) => {
      readText(response)
        .then((body) => reject(new UpgradeFailureError(response.statusCode ?? 0, body)), reject)
        .finally(() => socket.destroy());
    });
    sent.end();
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.byteLength;
    if (length > ANSWER_BYTES_MAX) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
