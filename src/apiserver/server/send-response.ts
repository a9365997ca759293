import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { type ApiResponse, isResponseStream } from "../endpoints/response.ts";
import type { Place } from "../flowcontrol/flow-control.ts";
import type { Exchange, ResponseHeaders } from "./exchange.ts";
import { indentedAnswer } from "./indented-answer.ts";
import { GZIP_THRESHOLD_BYTES, LARGE_ANSWER_BYTES } from "./limits.ts";
import { warningHeaders } from "./warning-headers.ts";

const gzipAsync = promisify(gzip);

/**
 * Sends an answer with the headers that every answer has: at once, unless it has to be compressed first. A large one is
 * waited for until the client has taken it or is gone: who asks for many and takes none keeps its own place (CVE-2019-9511,
 * CVE-2019-9517).
 */
export function sendResponse(
  exchange: Exchange,
  answer: ApiResponse,
  auditId: string,
  warnings: readonly string[],
  place?: Place,
): Promise<void> | undefined {
  const response = indentedAnswer(exchange, answer);
  const headers: ResponseHeaders = { "audit-id": auditId, "cache-control": "no-cache, private" };
  if (place !== undefined) {
    headers["x-kubernetes-pf-flowschema-uid"] = place.schemaUid;
    headers["x-kubernetes-pf-prioritylevel-uid"] = place.levelUid;
  }
  const given = response.headers;
  for (const name in given) headers[name] = given[name] as string;
  const lines = response.headerLines ?? {};
  for (const name in lines) if (!isOwn(name)) headers[name] = joined(headers[name], lines[name] ?? []);
  const told = warnings.length > 0 ? warningHeaders(warnings) : [];
  if (told.length > 0) headers.warning = told;
  if (response.status === 204) delete headers["content-type"];
  const { body } = response;
  if (isResponseStream(body)) {
    exchange.send(response.status, headers, body);
    return undefined;
  }
  const length = byteLength(body);
  if (response.headerLines === undefined && length > GZIP_THRESHOLD_BYTES && response.status === 200 && acceptsGzip(exchange)) {
    return sendZipped(exchange, headers, body);
  }
  if (response.status !== 204 && response.status !== 304) headers["content-length"] ??= length;
  if (length > LARGE_ANSWER_BYTES) return sendLarge(exchange, response.status, headers, body);
  exchange.send(response.status, headers, body);
  return undefined;
}

function sendLarge(exchange: Exchange, status: number, headers: ResponseHeaders, body: CompleteBody): Promise<void> | undefined {
  if (exchange.finished) return undefined;
  const taken = new Promise<void>((resolve) => exchange.onClose(resolve));
  exchange.send(status, headers, body);
  return taken;
}

async function sendZipped(exchange: Exchange, headers: ResponseHeaders, body: CompleteBody): Promise<void> {
  const zipped = await gzipAsync(wholeBody(body), { level: constants.Z_BEST_SPEED });
  headers["content-encoding"] = "gzip";
  headers.vary = "Accept-Encoding";
  headers["content-length"] = zipped.length;
  await sendLarge(exchange, 200, headers, zipped);
}

/** What this server says of a request, and another one behind it of the same. */
function isOwn(name: string): boolean {
  return name === "audit-id" || name.startsWith("x-kubernetes-pf-");
}

function joined(own: ResponseHeaders[string] | undefined, more: readonly string[]): string | string[] {
  const all = [...(own === undefined ? [] : [own].flat().map(String)), ...more];
  return all.length === 1 ? (all[0] ?? "") : all;
}

type CompleteBody = string | Uint8Array | readonly Uint8Array[];

function byteLength(body: CompleteBody): number {
  if (typeof body === "string") return Buffer.byteLength(body);
  if (body instanceof Uint8Array) return body.byteLength;
  let length = 0;
  for (const chunk of body) length += chunk.byteLength;
  return length;
}

function wholeBody(body: CompleteBody): string | Uint8Array {
  return typeof body === "string" || body instanceof Uint8Array ? body : Buffer.concat(body);
}

function acceptsGzip(exchange: Exchange): boolean {
  const accepted = exchange.headers["accept-encoding"];
  return typeof accepted === "string" && accepted.split(",").some((coding) => coding.trim().split(";")[0] === "gzip");
}
