import type { IncomingMessage } from "node:http";
import type { ApiResponse } from "#apiserver/endpoints/response.ts";
import { plainText } from "#apiserver/non-resource/answers.ts";
import type { RemoteVersion } from "./api-service-index.ts";
import { type FrontProxy, type ProxiedRequest, UnreachableError } from "./front-proxy.ts";

/** Discovery must not hang on one server, in milliseconds (upstream's `aggregatedDiscoveryTimeout`). */
const DISCOVERY_TIMEOUT_MS = 5_000;
/** Headers of one hop, and what the sending of the answer decides itself. */
const NOT_PASSED_BACK = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
  "trailer",
  "proxy-connection",
  "date",
]);

/** Passes a request on, and its answer back as it comes (upstream's `proxyHandler`). */
export async function proxyRequest(proxy: FrontProxy, to: RemoteVersion, request: ProxiedRequest): Promise<ApiResponse> {
  if (!to.available) return failed("service unavailable");
  const isDiscovery = request.url.split("?")[0]?.split("/").filter(Boolean).length === 3;
  let answer: IncomingMessage;
  try {
    answer = await proxy.send(to, isDiscovery ? { ...request, timeoutMs: DISCOVERY_TIMEOUT_MS } : request);
  } catch (error) {
    return failed(error instanceof UnreachableError ? `error trying to reach service: ${error.message}` : "service unavailable");
  }
  return { status: answer.statusCode ?? 502, headers: headersOf(answer), body: streamOf(answer) };
}

function failed(message: string): ApiResponse {
  return plainText(503, `${message}\n`, { "x-content-type-options": "nosniff" });
}

function headersOf(answer: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value === undefined || NOT_PASSED_BACK.has(name)) continue;
    headers[name] = typeof value === "string" ? value : value.join(", ");
  }
  return headers;
}

/** A slow client slows the server behind; when one of both ends, so does the other. */
function streamOf(answer: IncomingMessage): ApiResponse["body"] {
  return {
    start: (sink) => {
      answer.on("data", (chunk: Buffer) => {
        if (!sink.write(chunk)) answer.pause();
      });
      sink.onDrain(() => answer.resume());
      answer.once("end", () => sink.end());
      answer.once("error", () => sink.end());
      sink.onClose(() => answer.destroy());
    },
  };
}
