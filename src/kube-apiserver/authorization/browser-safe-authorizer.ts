import { AUTHENTICATED } from "#apiserver/authentication/users.ts";
import type { AuthorizationAttributes, Authorizer, Decision } from "#apiserver/authorization/authorizer.ts";

/**
 * Asks for `unsafeproxy` in place of `proxy` when somebody without credentials wants to reach through the server: a
 * browser could be made to send such a request. The right to it has to be given by that name.
 */
export function browserSafeAuthorizer(inner: Authorizer): Authorizer {
  return {
    authorize(asked) {
      if (!asked.isResourceRequest || asked.user.groups.includes(AUTHENTICATED)) return inner.authorize(asked);
      const changed = withoutProxy(asked);
      if (changed === undefined) return inner.authorize(asked);
      const answer = inner.authorize(changed.attributes);
      return answer instanceof Promise ? answer.then((decided) => noted(decided, changed.note)) : noted(answer, changed.note);
    },
  };
}

function noted(decided: Decision, note: string): Decision {
  const { decision, reason } = decided;
  if (decision === "allow") return decided;
  return { decision, reason: reason === "" ? note : `${note}: ${reason}` };
}

function withoutProxy(asked: AuthorizationAttributes): { attributes: AuthorizationAttributes; note: string } | undefined {
  if (asked.subresource === "proxy") {
    return { attributes: { ...asked, subresource: "unsafeproxy" }, note: "proxy subresource changed to unsafeproxy" };
  }
  if (asked.verb === "proxy") return { attributes: { ...asked, verb: "unsafeproxy" }, note: "proxy verb changed to unsafeproxy" };
  return undefined;
}
