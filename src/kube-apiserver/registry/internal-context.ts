import type { RequestContext } from "#apiserver/request/request-info.ts";

const NEVER = new AbortController().signal;

/** The context of what the server itself does, on behalf of a request (whose end it then shares) or of none. */
export function internalContext(request?: RequestContext): RequestContext {
  return {
    user: { name: "system:apiserver", uid: "", groups: ["system:masters"], extra: {} },
    info: request?.info ?? {
      isResourceRequest: false,
      path: "",
      verb: "get",
      apiPrefix: "",
      apiGroup: "",
      apiVersion: "",
      namespace: "",
      resource: "",
      subresource: "",
      name: "",
      parts: [],
    },
    userAgent: "kube-apiserver",
    query: new URLSearchParams(),
    signal: request?.signal ?? NEVER,
    warnings: [],
  };
}
