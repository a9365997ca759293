import type { Duplex } from "node:stream";

/** Why a connection is not upgraded: the answer to the request instead. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
}

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  500: "Internal Server Error",
  502: "Bad Gateway",
};

/** Whether an attempt to upgrade was refused. */
export function isRefusal(result: object): result is Refusal {
  return "status" in result && "message" in result;
}

/** Answers a request to upgrade with plain text, as Go's `http.Error`, and ends the connection. */
export function sendRefusal(socket: Duplex, { status, message, headers }: Refusal): void {
  const body = Buffer.from(`${message}\n`, "utf8");
  const all = {
    ...headers,
    "Content-Type": "text/plain; charset=utf-8",
    "X-Content-Type-Options": "nosniff",
    "Content-Length": String(body.length),
    Connection: "close",
  };
  const lines = Object.entries(all).flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${oneLine(one)}`));
  socket.write(`HTTP/1.1 ${status} ${REASONS[status] ?? "Error"}\r\n${lines.join("\r\n")}\r\n\r\n`);
  socket.end(body);
}

/** Tells a client that the other protocol begins after this. */
export function switchProtocols(socket: Duplex, headers: Readonly<Record<string, string>>): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${oneLine(value)}`);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("\r\n")}\r\n\r\n`);
}

/** No header may hold another. */
function oneLine(value: string): string {
  return value.replaceAll(/[\r\n]+/g, " ");
}
