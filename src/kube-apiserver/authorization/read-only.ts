import type { AuthorizationAttributes, Authorizer, Decision } from "#apiserver/authorization/authorizer.ts";

/** What changes nothing. */
const READING: ReadonlySet<string> = new Set(["get", "list", "watch", "head", "options", "impersonate"]);
/** Groups of which an object is only ever an answer: reviews. */
const ANSWERING: ReadonlySet<string> = new Set(["authentication.k8s.io", "authorization.k8s.io"]);
/** What would go on to machines that the state tells of. */
const LEADING_OUT: ReadonlySet<string> = new Set(["proxy", "log", "exec", "attach", "portforward"]);

/** Denies everybody, whatever another authorizer says, what would change something or lead to another machine. */
export function readOnlyAuthorizer(inner: Authorizer): Authorizer {
  return { authorize: (attributes) => refusal(attributes) ?? inner.authorize(attributes) };
}

function refusal({ verb, isResourceRequest, apiGroup, subresource }: AuthorizationAttributes): Decision | undefined {
  const deny = (reason: string): Decision => ({ decision: "deny", reason });
  if (!READING.has(verb) && !(isResourceRequest && verb === "create" && ANSWERING.has(apiGroup)))
    return deny("this is a snapshot, which is open for reading only");
  if (LEADING_OUT.has(subresource)) return deny("this is a snapshot, and the machines of its cluster are not asked");
  return undefined;
}
