import { AUTHENTICATED } from "#apiserver/authentication/users.ts";
import type { RequestContext, UserInfo } from "#apiserver/request/request-info.ts";
import { resolveRequestInfo } from "#apiserver/request/resolve-request-info.ts";

/** Group whose members may do everything. */
const MASTERS = "system:masters";

/** Who writes the objects that a cluster begins with. */
export const LOOPBACK_USER: UserInfo = { name: "system:apiserver", uid: "", groups: [MASTERS, AUTHENTICATED], extra: {} };

/** Who comes without TLS, as former years called him (upstream's `InsecureSuperuser`). */
export const UNSECURED_USER: UserInfo = { name: "system:unsecured", uid: "", groups: [MASTERS, AUTHENTICATED], extra: {} };

/** What the server itself asks with. */
export function loopbackContext(): RequestContext {
  return {
    user: LOOPBACK_USER,
    info: resolveRequestInfo("POST", "/", undefined),
    userAgent: "kube-apiserver",
    query: new URLSearchParams(),
    signal: new AbortController().signal,
    warnings: [],
  };
}
