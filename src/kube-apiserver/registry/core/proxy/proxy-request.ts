import type { ResourceRequest } from "#apiserver/endpoints/response.ts";
import type { ProxyRequest } from "#apiserver/proxy/upgrade-aware-proxy.ts";

/** A request for a subresource as a backend is asked for it. */
export function proxyRequestOf({ method, headers, info, signal, connection }: ResourceRequest): ProxyRequest {
  const url = connection?.url ?? "";
  const mark = url.indexOf("?");
  return { method, headers, path: info.path, rawQuery: mark < 0 ? "" : url.slice(mark), signal, connection };
}
