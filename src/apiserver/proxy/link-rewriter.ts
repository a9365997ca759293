import { escapedPath, formatReference, joinPath, parseReference } from "./url-reference.ts";

/** Where a page came from, and under which path it is shown. */
export interface LinkContext {
  /** `HOST:PORT` of the backend. */
  readonly backendHost: string;
  /** The `Host` header of the request. */
  readonly requestHost: string;
  /** What stands before the backend's own path in the API server's. Decoded. */
  readonly pathPrepend: string;
}

/**
 * A link of a backend as it has to be for a client that sees the backend through the API server: what leads to the backend
 * by an absolute path leads through the proxy. Undefined where the link is no URL. After upstream's `rewriteURL`.
 */
export function rewriteLink(text: string, { backendHost, requestHost, pathPrepend }: LinkContext): string | undefined {
  const url = parseReference(text);
  if (url === undefined) return undefined;
  const elsewhere = url.host !== "" && url.host !== backendHost && url.host !== requestHost;
  if (elsewhere || !url.path.startsWith("/") || url.opaque) return formatReference(url);
  // The host that the client knows the server by stays; the backend's is of no use to it.
  const keeps = url.host === requestHost;
  const { scheme, host } = keeps ? url : { scheme: "", host: "" };
  if (url.path.startsWith(pathPrepend)) return formatReference({ ...url, scheme, host });
  const joined = joinPath(pathPrepend, url.path);
  const path = url.path.endsWith("/") && !joined.endsWith("/") ? `${joined}/` : joined;
  return formatReference({ ...url, scheme, host, rawPath: escapedPath(path) });
}
