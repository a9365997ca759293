/** Who makes a request. `extra` values keep their order. */
export interface UserInfo {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export type Verb =
  | "get"
  | "list"
  | "watch"
  | "create"
  | "update"
  | "patch"
  | "delete"
  | "deletecollection"
  | "proxy"
  | "connect"
  /** Non-resource requests use the lower-case HTTP method. */
  | "post"
  | "put"
  | "head"
  | "options";

/** What a URL and method ask for, as upstream's `request.RequestInfo`. */
export interface RequestInfo {
  readonly isResourceRequest: boolean;
  readonly path: string;
  readonly verb: Verb;
  /** `api` or `apis`; empty for a non-resource request. */
  readonly apiPrefix: string;
  readonly apiGroup: string;
  readonly apiVersion: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** The path's segments after the API prefix, group and version. */
  readonly parts: readonly string[];
}

/** What every step of the handler chain and every strategy hook may know of the request. */
export interface RequestContext {
  readonly user: UserInfo;
  readonly info: RequestInfo;
  readonly userAgent: string;
  readonly query: URLSearchParams;
  /** Ends when the client goes away or the server stops. */
  readonly signal: AbortSignal;
  /** Writes an audit annotation, where the request is audited. */
  readonly annotate?: (key: string, value: string) => void;
  /** Texts for `Warning: 299 - "..."` headers; duplicates are dropped when sent. */
  readonly warnings: string[];
}
