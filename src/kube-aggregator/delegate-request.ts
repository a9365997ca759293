import { requestEntityTooLarge } from "#apimachinery/api-errors/errors.ts";
import type { ApiResponse } from "#apiserver/endpoints/response.ts";
import type { RequestInfo, UserInfo } from "#apiserver/request/request-info.ts";
import type { Exchange } from "#apiserver/server/exchange.ts";
import { REQUEST_BODY_BYTES_MAX } from "#apiserver/server/limits.ts";
import type { Aggregator } from "./aggregator.ts";
import type { RemoteVersion } from "./api-service-index.ts";
import { proxyRequest } from "./proxy-handler.ts";

/** Answers a request that is for another server; undefined for one that is for this. */
export function delegateRequest(
  aggregator: Aggregator,
  exchange: Exchange,
  info: RequestInfo,
  user: UserInfo,
): Promise<ApiResponse> | undefined {
  const remote = aggregator.remoteOf(info);
  return remote && passOn(aggregator, remote, exchange, user);
}

async function passOn(aggregator: Aggregator, remote: RemoteVersion, exchange: Exchange, user: UserInfo): Promise<ApiResponse> {
  const body = await exchange.readBody(REQUEST_BODY_BYTES_MAX);
  if (body === undefined) throw requestEntityTooLarge(`limit is ${REQUEST_BODY_BYTES_MAX}`);
  const gone = new AbortController();
  exchange.onClose(() => gone.abort());
  const { method, url, headers } = exchange;
  return proxyRequest(aggregator.proxy, remote, { method, url, headers, user, body, signal: gone.signal });
}

/** A GET by a part of this process; undefined when the path is for this server. */
export function delegateGet(
  aggregator: Aggregator,
  path: string,
  info: RequestInfo,
  user: UserInfo,
): Promise<ApiResponse> | undefined {
  const remote = aggregator.remoteOf(info);
  if (remote === undefined) return undefined;
  const headers = { accept: "application/json" };
  return proxyRequest(aggregator.proxy, remote, { method: "GET", url: path, headers, user, body: new Uint8Array() });
}
