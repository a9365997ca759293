import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** An answer in full. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A port that is open. */
export interface OpenPort {
  readonly port: number;
  close(): Promise<void>;
}

/** How long a client may take to send its request, in milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Opens a port that answers short questions. Rejects where it cannot be had. */
export async function openPort(
  address: string,
  port: number,
  answer: (request: IncomingMessage) => HttpAnswer | Promise<HttpAnswer>,
): Promise<OpenPort> {
  const server = createServer((request, response) => void respond(request, response, answer));
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.headersTimeout = REQUEST_TIMEOUT_MS;
  await listening(server, address, port);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** JSON, as the kubelet's and load balancers' probes get it. */
export function jsonAnswer(status: number, body: string, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  return { status, headers: { "content-type": "application/json", "x-content-type-options": "nosniff", ...headers }, body };
}

/** What is not there. */
export const NOT_FOUND: HttpAnswer = {
  status: 404,
  headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
  body: "404 page not found\n",
};

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (request: IncomingMessage) => HttpAnswer | Promise<HttpAnswer>,
): Promise<void> {
  request.resume();
  const { status, headers, body } = await answer(request);
  response.writeHead(status, headers);
  response.end(request.method === "HEAD" ? undefined : body);
}

function listening(server: Server, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port }, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}
