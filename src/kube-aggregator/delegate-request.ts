import type { ApiResponse } from "#apiserver/endpoints/response.ts";
import { isUpgradeRequest } from "#apiserver/proxy/backend-headers.ts";
import type { RequestInfo, UserInfo } from "#apiserver/request/request-info.ts";
import type { Exchange } from "#apiserver/server/exchange.ts";
import type { Aggregator } from "./aggregator.ts";
import type { RemoteVersion } from "./api-service-index.ts";
import { proxyRequest, proxyUpgrade } from "./proxy-handler.ts";

/** Answers a request that is for another server; undefined for one that is for this. */
export function delegateRequest(
  aggregator: Aggregator,
  exchange: Exchange,
  info: RequestInfo,
  user: UserInfo,
): Promise<ApiResponse> | undefined {
  const remote = aggregator.remoteOf(info);
  return remote && passOn(aggregator, remote, { exchange, info, user });
}

function passOn(
  { proxy }: Aggregator,
  remote: RemoteVersion,
  { exchange, info, user }: { readonly exchange: Exchange; readonly info: RequestInfo; readonly user: UserInfo },
): Promise<ApiResponse> {
  const gone = new AbortController();
  exchange.onClose(() => gone.abort(new Error("the client is gone")));
  const { signal } = gone;
  const { method, url, headers } = exchange;
  if (isUpgradeRequest(headers)) {
    const mark = url.indexOf("?");
    const rawQuery = mark < 0 ? "" : url.slice(mark);
    return proxyUpgrade(proxy, remote, { method, headers, path: info.path, rawQuery, signal, connection: exchange }, user);
  }
  const body = exchange.bodyStream() ?? new Uint8Array();
  return proxyRequest(proxy, remote, { method, url, headers, user, body, signal, connection: exchange });
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
