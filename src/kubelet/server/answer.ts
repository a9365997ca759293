import type { ServerResponse } from "node:http";

/** Sends a text, as Go's `http.ResponseWriter` does. */
export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(text, "utf8");
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", "content-length": body.length, ...headers });
  response.end(body);
}

/** Sends an object. */
export function sendJson(response: ServerResponse, object: unknown): void {
  const body = Buffer.from(JSON.stringify(object), "utf8");
  response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
  response.end(body);
}
