import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { badRequest, serviceUnavailable } from "#apimachinery/api-errors/errors.ts";
import { plainError } from "#apimachinery/api-errors/plain-error.ts";
import type { Clock } from "#base/clock.ts";
import type { ClientConnection } from "../endpoints/client-connection.ts";
import type { ApiResponse } from "../endpoints/response.ts";
import { backendErrorText } from "./backend-error.ts";
import { answerHeaders, backendHeaders, isUpgradeRequest } from "./backend-headers.ts";
import { type BackendAddress, type BackendAnswer, type BackendTransport, DialError, hostPort } from "./backend-transport.ts";
import { rewrittenAnswer } from "./rewritten-answer.ts";
import { splice } from "./splice.ts";
import { streamedAnswer } from "./streamed-answer.ts";
import { TAKEN_OVER } from "./taken-over.ts";
import { escapedPath, joinPath } from "./url-reference.ts";

/** A request that is passed on. */
export interface ProxyRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The decoded path of the API server. */
  readonly path: string;
  /** The query as the client wrote it, with its mark; empty for none. */
  readonly rawQuery: string;
  readonly signal: AbortSignal;
  readonly connection: ClientConnection | undefined;
}

/** Where it goes, and how. */
export interface ProxyTargetLocation {
  readonly to: BackendAddress;
  /** Decoded. */
  readonly path: string;
  /** What takes the place of the client's query, without its mark. */
  readonly query?: string;
}

export interface UpgradeAwareProxyOptions {
  readonly location: ProxyTargetLocation;
  readonly transport: BackendTransport;
  readonly clock: Clock;
  /** Links and redirects of the backend lead through the proxy, and it is told where it is shown. */
  readonly rewrites: boolean;
  /** Who does not want another protocol is refused. */
  readonly upgradeRequired: boolean;
  /** How much of another protocol may go each way; any amount when 0 or absent. */
  readonly maxBytesPerSecond?: number | undefined;
  /** Sent in the place of the client's. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** Takes the client's connection once the backend has agreed. Default: its bytes are the backend's, and the head goes along. */
  readonly join?: (answer: IncomingMessage, backend: Duplex) => ApiResponse;
}

/**
 * Passes a request on to a backend, and its answer back, also where both change to another protocol: then the bytes of
 * both are joined, but only when the backend has answered 101 (CVE-2018-1002105). A redirect is never followed
 * (CVE-2020-8559). After upstream's `UpgradeAwareHandler`. Throws StatusErrors.
 */
export async function proxyToBackend(options: UpgradeAwareProxyOptions, request: ProxyRequest): Promise<ApiResponse> {
  if (isUpgradeRequest(request.headers)) return upgrade(options, request);
  if (options.upgradeRequired) throw badRequest("Upgrade request required");
  const { location, rewrites, transport } = options;
  const path = !location.path.endsWith("/") && request.path.endsWith("/") ? `${location.path}/` : location.path;
  if (path === "" && (request.method === "GET" || request.method === "HEAD")) {
    const headers = { location: `${escapedPath(request.path)}/${request.rawQuery}` };
    return { status: 301, headers, body: "" };
  }
  const headers = { ...backendHeaders(request, false), ...options.headers };
  const pathPrepend = prependedPath(location.path, request.path);
  const target = escapedPath(path.startsWith("/") ? path : `/${path}`);
  if (rewrites) headers["X-Forwarded-Uri"] = forwardedUri(pathPrepend, target);
  const body = request.connection?.bodyStream();
  if (body !== undefined && headers["Content-Length"] === undefined) headers["Transfer-Encoding"] = "chunked";
  let answer: BackendAnswer;
  try {
    const { method, signal } = request;
    answer = await transport.send({
      method,
      to: location.to,
      target: target + queryOf(location, request),
      headers,
      body,
      signal,
    });
  } catch (error) {
    const text = backendErrorText(error);
    throw rewrites ? serviceUnavailable(`error trying to reach service: ${text}`) : plainError(text);
  }
  const { response, upgraded } = answer;
  if (upgraded !== undefined) {
    upgraded.socket.destroy();
    throw plainError("internal error: 101 switching protocols response with non-writable body");
  }
  if (!rewrites) return streamedAnswer(response, request, answerHeaders(response.rawHeaders));
  return rewrittenAnswer(response, request, { backendHost: hostPort(location.to), requestHost: hostOf(request), pathPrepend });
}

async function upgrade(options: UpgradeAwareProxyOptions, request: ProxyRequest): Promise<ApiResponse> {
  const { location, transport, clock } = options;
  const { method, signal, connection } = request;
  const headers = { ...backendHeaders(request, true), ...options.headers };
  const target = escapedPath(location.path.startsWith("/") ? location.path : `/${location.path}`) + queryOf(location, request);
  let answer: BackendAnswer;
  try {
    answer = await transport.send({ method, to: location.to, target, headers, body: undefined, signal });
  } catch (error) {
    const text = backendErrorText(error);
    throw plainError(error instanceof DialError ? `error dialing backend: ${text}` : text);
  }
  const { response, upgraded } = answer;
  const status = response.statusCode ?? 0;
  if (upgraded === undefined || status !== 101) {
    if (status >= 400) return streamedAnswer(response, request, answerHeaders(response.rawHeaders));
    response.destroy();
    upgraded?.socket.destroy();
    throw plainError(`invalid upgrade response: status code ${status}`);
  }
  const backend = upgraded.socket;
  if (upgraded.head.byteLength > 0) backend.unshift(upgraded.head);
  if (options.join !== undefined) return options.join(response, backend);
  const client = connection?.takeOver();
  if (client === undefined) {
    backend.destroy();
    throw plainError("request connection cannot be hijacked");
  }
  client.write(rawHead(response));
  void splice(client, backend, { clock, signal, maxBytesPerSecond: options.maxBytesPerSecond });
  return TAKEN_OVER;
}

function rawHead({ rawHeaders, statusMessage }: IncomingMessage): Buffer {
  const lines = [`HTTP/1.1 101 ${statusMessage === undefined || statusMessage === "" ? "Switching Protocols" : statusMessage}`];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

/** The path by which a client sees what the backend serves: it is told, so that it can write links. */
export function forwardedUri(pathPrepend: string, target: string): string {
  const joined = joinPath(pathPrepend, target);
  return target.endsWith("/") ? `${joined}/` : joined;
}

/** What a client says behind its question mark goes along, also where it wants another protocol. */
function queryOf({ query }: ProxyTargetLocation, { rawQuery }: ProxyRequest): string {
  if (query === undefined) return rawQuery;
  return query === "" ? "" : `?${query}`;
}

function prependedPath(backendPath: string, path: string): string {
  const suffix = path.endsWith("/") && !backendPath.endsWith("/") ? `${backendPath}/` : backendPath;
  return suffix !== "" && path.endsWith(suffix) ? path.slice(0, -suffix.length) : path;
}

function hostOf({ headers }: ProxyRequest): string {
  const host = headers[":authority"] ?? headers.host ?? "";
  return typeof host === "string" ? host : (host[0] ?? "");
}
