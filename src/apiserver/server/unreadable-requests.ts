import type { Duplex } from "node:stream";
import type { Clock } from "#base/clock.ts";
import type { ApiResponse } from "../endpoints/response.ts";
import { methodNotAllowed } from "../non-resource/answers.ts";

/** How long a client may still send when it was refused, as upstream's: Go's `rstAvoidanceDelay`. */
const LINGER_MS = 500;

/** What a request gets that Node cannot parse. Go would take any method: upstream's router refuses those that it does not know. */
const BAD_REQUEST = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
const ANSWERS: Readonly<Record<string, string>> = {
  HPE_INVALID_METHOD: rawResponse(methodNotAllowed()),
  HPE_HEADER_OVERFLOW: "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n",
};

/** Answers requests of HTTP/1.1 that Node cannot parse, and ends their connections. */
export class UnreadableRequests {
  readonly #clock: Clock;
  readonly #refused = new WeakSet<Duplex>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `error` is the parser's, which has one more for each piece that comes behind what it could not read. */
  refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
    if (this.#refused.has(socket)) return;
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    this.#refused.add(socket);
    socket.end(ANSWERS[error.code ?? ""] ?? BAD_REQUEST);
    // Closed at once, the connection would be reset by what the client still sends, and the answer be lost with it.
    const linger = this.#clock.setTimeout(() => socket.destroy(), LINGER_MS, { unref: true });
    socket.once("close", () => linger.clear());
  }
}

function rawResponse({ headers, body }: ApiResponse): string {
  const text = String(body);
  return `HTTP/1.1 405 Method Not Allowed\r\nContent-Type: ${headers["content-type"]}\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`;
}
