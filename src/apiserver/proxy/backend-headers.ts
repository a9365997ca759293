import type { ClientConnection } from "../endpoints/client-connection.ts";
import type { RequestHeaders } from "../server/exchange.ts";

/** Headers that are for one hop only (RFC 9110, section 7.6.1, and what Go's reverse proxy adds to them). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "proxy-connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);
/** What the client proved itself with, or whom it acts for: that was for this server. */
const CREDENTIALS = /^(authorization|impersonate-(user|uid|group|extra-.*)|x-remote-(user|uid|group|extra-.*))$/;
/** The WebSocket subprotocol that carries a token. */
const TOKEN_PROTOCOL = "base64url.bearer.authorization.k8s.io.";
/** A backend may not decide for whom the API server's address is open. */
const CORS: ReadonlySet<string> = new Set([
  "access-control-allow-credentials",
  "access-control-allow-headers",
  "access-control-allow-methods",
  "access-control-allow-origin",
]);

/** Headers of answers of which there is one: further lines would be refused in HTTP/2. */
const SINGLE: ReadonlySet<string> = new Set([
  "age",
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-range",
  "content-type",
  "date",
  "etag",
  "expires",
  "last-modified",
  "location",
  "retry-after",
  "x-content-type-options",
]);

/** What a request brings along. */
export interface ProxiedRequest {
  readonly headers: RequestHeaders;
  readonly connection: ClientConnection | undefined;
}

/**
 * The headers that go on to a backend: not those of this hop, nor the client's credentials. With `upgrade` the wish for
 * another protocol goes along. The client's address is added to those before it.
 */
export function backendHeaders(request: ProxiedRequest, upgrade: boolean): Record<string, string | string[]> {
  const { headers, connection } = request;
  const named = new Set(listOf(headers.connection));
  const kept: Record<string, string | string[]> = {};
  for (const name of Object.keys(headers)) {
    if (name.startsWith(":") || CREDENTIALS.test(name)) continue;
    if (!upgrade && (HOP_BY_HOP.has(name) || named.has(name))) continue;
    const lines = linesOf(request, name);
    if (lines.length > 0) kept[canonical(name)] = lines.length === 1 ? (lines[0] ?? "") : [...lines];
  }
  if (!upgrade && listOf(headers.te).includes("trailers")) kept.Te = "trailers";
  const authority = headers[":authority"];
  if (typeof authority === "string") kept.Host = authority;
  const forwarded = [...linesOf(request, "x-forwarded-for"), connection?.remoteAddress ?? ""].filter((one) => one !== "");
  if (forwarded.length > 0) kept["X-Forwarded-For"] = forwarded.join(", ");
  return kept;
}

function linesOf({ headers, connection }: ProxiedRequest, name: string): readonly string[] {
  const value = headers[name];
  const lines = connection?.headerLines(name) ?? (value === undefined ? [] : [value].flat());
  return name === "sec-websocket-protocol" ? withoutToken(lines) : lines;
}

function withoutToken(lines: readonly string[]): readonly string[] {
  const protocols = lines.join(",").split(",");
  const kept = protocols.map((one) => one.trim()).filter((one) => one !== "" && !one.startsWith(TOKEN_PROTOCOL));
  return kept.length === 0 ? [] : [kept.join(", ")];
}

/** The headers of an answer that go back, each line by itself. */
export function answerHeaders(rawHeaders: readonly string[]): Record<string, string[]> {
  const lines: Record<string, string[]> = {};
  const named = new Set<string>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? "").toLowerCase();
    const value = rawHeaders[i + 1] ?? "";
    if (name === "connection") for (const each of listOf(value)) named.add(each);
    if (HOP_BY_HOP.has(name) || CORS.has(name)) continue;
    const known = lines[name];
    if (known === undefined) lines[name] = [value];
    else if (!SINGLE.has(name)) known.push(value);
  }
  for (const name of named) delete lines[name];
  return lines;
}

/** Whether a client would rather speak another protocol (upstream's `IsUpgradeRequest`). */
export function isUpgradeRequest(headers: RequestHeaders): boolean {
  return listOf(headers.connection).some((one) => one.includes("upgrade"));
}

function listOf(value: string | readonly string[] | undefined): string[] {
  const text = value === undefined ? "" : [value].flat().join(",");
  return text
    .toLowerCase()
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}

/** As Go writes header names: some servers compare them by letter. */
function canonical(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}
