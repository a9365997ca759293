import type { IncomingMessage } from "node:http";
import type { ApiResponse } from "#apiserver/endpoints/response.ts";
import { plainText } from "#apiserver/non-resource/answers.ts";
import { answerHeaders } from "#apiserver/proxy/backend-headers.ts";
import { streamedAnswer } from "#apiserver/proxy/streamed-answer.ts";
import type { ProxyRequest } from "#apiserver/proxy/upgrade-aware-proxy.ts";
import type { UserInfo } from "#apiserver/request/request-info.ts";
import type { RemoteVersion } from "./api-service-index.ts";
import { type FrontProxy, type ProxiedRequest, UnreachableError } from "./front-proxy.ts";

/** Discovery must not hang on one server, in milliseconds (upstream's `aggregatedDiscoveryTimeout`). */
const DISCOVERY_TIMEOUT_MS = 5_000;
/** An aggregated server may not send clients, with the answer to what they asked of this one, elsewhere (CVE-2022-3172). */
const REDIRECTED = "the backend attempted to redirect this request, which is not permitted";

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
  const lines = answerHeaders(answer.rawHeaders);
  const status = answer.statusCode ?? 502;
  if (status >= 300 && status < 400 && lines.location !== undefined) {
    answer.destroy();
    return { status: 502, headers: {}, body: REDIRECTED };
  }
  return streamedAnswer(answer, request, lines);
}

/** Joins a client that would rather speak another protocol with the server. */
export async function proxyUpgrade(
  proxy: FrontProxy,
  to: RemoteVersion,
  request: ProxyRequest,
  user: UserInfo,
): Promise<ApiResponse> {
  if (!to.available) return failed("service unavailable");
  try {
    return await proxy.upgrade(to, request, user);
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
}

function failed(message: string): ApiResponse {
  return plainText(503, `${message}\n`, { "x-content-type-options": "nosniff" });
}
