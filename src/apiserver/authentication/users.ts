import type { UserInfo } from "../request/request-info.ts";

/** Group of everyone who proved who they are. */
export const AUTHENTICATED = "system:authenticated";
/** Group of everyone who did not. */
export const UNAUTHENTICATED = "system:unauthenticated";

/** Who asks without credentials. */
export const ANONYMOUS: UserInfo = { name: "system:anonymous", uid: "", groups: [UNAUTHENTICATED], extra: {} };

const SERVICE_ACCOUNT_PREFIX = "system:serviceaccount:";

/** `system:serviceaccount:NAMESPACE:NAME`. */
export function serviceAccountUserName(namespace: string, name: string): string {
  return `${SERVICE_ACCOUNT_PREFIX}${namespace}:${name}`;
}

/** Groups that every service account of a namespace is in. */
export function serviceAccountGroups(namespace: string): string[] {
  return ["system:serviceaccounts", `system:serviceaccounts:${namespace}`];
}

/** Namespace and name of a service account's user name; undefined for other users. */
export function splitServiceAccountUserName(userName: string): { namespace: string; name: string } | undefined {
  if (!userName.startsWith(SERVICE_ACCOUNT_PREFIX)) return undefined;
  const [namespace = "", name = "", ...more] = userName.slice(SERVICE_ACCOUNT_PREFIX.length).split(":");
  const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
  const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
  return more.length === 0 && label.test(namespace) && subdomain.test(name) ? { namespace, name } : undefined;
}

/** The user as part of `system:authenticated`, as upstream's `AuthenticatedGroupAdder` puts it there. */
export function authenticated(user: UserInfo): UserInfo {
  const { name, groups } = user;
  if (name === ANONYMOUS.name || groups.includes(AUTHENTICATED) || groups.includes(UNAUTHENTICATED)) return user;
  return { ...user, groups: [...groups, AUTHENTICATED] };
}
