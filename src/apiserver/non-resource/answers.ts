import { type Status, StatusError } from "#apimachinery/api-errors/status.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { ApiResponse } from "../endpoints/response.ts";

/** Upstream's router and Go's mux both end without a line saying more than this. */
const PAGE_NOT_FOUND = "404 page not found\n";

/** A Status as JSON. */
export function statusAnswer(error: StatusError): ApiResponse {
  const { retryAfterSeconds } = error.status.details ?? {};
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (retryAfterSeconds !== undefined && retryAfterSeconds > 0) headers["retry-after"] = String(retryAfterSeconds);
  return { status: error.code, headers, body: `${JSON.stringify(error.status)}\n` };
}

/** Go's answer for a path that nothing serves. */
export function pageNotFound(): ApiResponse {
  return plainText(404, PAGE_NOT_FOUND, { "x-content-type-options": "nosniff" });
}

/** Upstream's `responsewriters.InternalError`: a failure outside of any handler, as text that is no HTML. */
export function plainInternalError(url: string, message: string): ApiResponse {
  const text = `Internal Server Error: ${goQuote(url)}: ${message}`;
  const harmless = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return plainText(500, `${harmless}\n`, { "x-content-type-options": "nosniff" });
}

/** Plain text in UTF-8. */
export function plainText(status: number, body: string, headers: Record<string, string> = {}): ApiResponse {
  return { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers }, body };
}

/** JSON with a line end, as Go's encoder writes it. */
export function jsonAnswer(value: unknown, contentType = "application/json"): ApiResponse {
  return { status: 200, headers: { "content-type": contentType }, body: JSON.stringify(value) };
}

/** A value set out in lines, whoever asks (`WriteRawJSON`). */
export function indentedJsonAnswer(value: unknown): ApiResponse {
  return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(value, null, 2) };
}

/** 405 as upstream's router answers it. */
export function methodNotAllowed(): ApiResponse {
  return routerAnswer(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
}

/** 404 as upstream's router answers it within a group that is served. */
export function resourceNotFound(): ApiResponse {
  return routerAnswer(404, "NotFound", "the server could not find the requested resource");
}

function routerAnswer(code: number, reason: NonNullable<Status["reason"]>, message: string): ApiResponse {
  const status: Status = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    details: {},
    code,
  };
  return statusAnswer(new StatusError(status));
}
