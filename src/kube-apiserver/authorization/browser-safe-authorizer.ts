import { AUTHENTICATED } from "#apiserver/authentication/users.ts";
import type { AuthorizationAttributes, Authorizer } from "#apiserver/authorization/authorizer.ts";

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
      const { decision, reason } = inner.authorize(changed.attributes);
      if (decision === "allow") return { decision, reason };
      return { decision, reason: reason === "" ? changed.note : `${changed.note}: ${reason}` };
    },
  };
}

function withoutProxy(asked: AuthorizationAttributes): { attributes: AuthorizationAttributes; note: string } | undefined {
  if (asked.subresource === "proxy") {
    return { attributes: { ...asked, subresource: "unsafeproxy" }, note: "proxy subresource changed to unsafeproxy" };
  }
  if (asked.verb === "proxy") return { attributes: { ...asked, verb: "unsafeproxy" }, note: "proxy verb changed to unsafeproxy" };
  return undefined;
}
