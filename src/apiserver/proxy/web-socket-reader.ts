import type { IncomingMessage } from "node:http";
import { isWebSocketRequest } from "#apimachinery/httpstream/upgrade-headers.ts";
import { Opcode } from "#apimachinery/httpstream/websocket/frames.ts";
import { WebSocketConnection } from "#apimachinery/httpstream/websocket/web-socket.ts";
import type { Clock } from "#base/clock.ts";
import type { ApiResponse, ResourceRequest } from "../endpoints/response.ts";
import { acceptClientWebSocket } from "./client-web-socket.ts";
import { TAKEN_OVER } from "./taken-over.ts";

/** What a stream may be sent as: bytes, or their base64 as text (upstream's `NewDefaultReaderProtocols`). */
const BASE64_PROTOCOL = "base64.binary.k8s.io";
const PROTOCOLS: readonly string[] = ["", "binary.k8s.io", BASE64_PROTOCOL];

/** Sends a stream over a WebSocket, a message for each piece that comes; undefined for a client that wants none (upstream's `wsstream.Reader`). */
export function streamOverWebSocket(clock: Clock, request: ResourceRequest, source: IncomingMessage): ApiResponse | undefined {
  const { headers, connection, signal } = request;
  if (!isWebSocketRequest(headers as never)) return undefined;
  const accepted = acceptClientWebSocket(headers, connection, PROTOCOLS);
  if ("refused" in accepted) {
    source.destroy();
    return accepted.refused;
  }
  const asText = accepted.protocol === BASE64_PROTOCOL;
  const client = new WebSocketConnection(accepted.socket, { clock, onMessage: () => {} });
  const stop = (): void => {
    source.destroy();
    client.close();
  };
  void client.closed.then(stop);
  source.on("data", (chunk: Buffer) => {
    source.pause();
    const goOn = (): void => void source.resume();
    if (asText) client.send(Buffer.from(chunk.toString("base64")), Opcode.text, goOn);
    else client.send(chunk, Opcode.binary, goOn);
  });
  source.once("close", () => {
    signal.removeEventListener("abort", stop);
    client.close();
  });
  signal.addEventListener("abort", stop, { once: true });
  return TAKEN_OVER;
}
