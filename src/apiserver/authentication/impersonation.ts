import { badRequest } from "#apimachinery/api-errors/errors.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import { type AuthorizationAttributes, type Authorizer, forbiddenError } from "../authorization/authorizer.ts";
import type { UserInfo } from "../request/request-info.ts";
import type { Exchange } from "../server/exchange.ts";
import { unescapePath } from "./request-header.ts";
import { ANONYMOUS, AUTHENTICATED, serviceAccountGroups, splitServiceAccountUserName, UNAUTHENTICATED } from "./users.ts";

const EXTRA_PREFIX = "impersonate-extra-";
const AUTHENTICATION_GROUP = "authentication.k8s.io";

/** Whom the impersonation headers ask for; undefined without any. Throws 400 when they name no user. */
export function requestedImpersonation(exchange: Pick<Exchange, "headers" | "headerLines">): UserInfo | undefined {
  const { headers } = exchange;
  let asks = false;
  let extra: Record<string, readonly string[]> | undefined;
  for (const header in headers) {
    if (!header.startsWith("impersonate-")) continue;
    asks = true;
    if (!header.startsWith(EXTRA_PREFIX)) continue;
    extra ??= {};
    extra[unescapePath(header.slice(EXTRA_PREFIX.length))] = exchange.headerLines(header);
  }
  if (!asks) return undefined;
  const name = text(headers["impersonate-user"]);
  const uid = text(headers["impersonate-uid"]);
  const groups = exchange.headerLines("impersonate-group");
  if (name === "" && uid === "" && groups.length === 0 && extra === undefined) return undefined;
  extra ??= {};
  if (name !== "") return { name, uid, groups, extra };
  throw badRequest(`requested ${formatUser({ name, uid, groups, extra })} without impersonating a user name`);
}

/** Whom a request goes on as. */
export interface ImpersonatedUser {
  readonly user: UserInfo;
  /** The verb of the constrained mode that allowed it; empty for the plain one. For the audit log. */
  readonly constraint: string;
}

/**
 * The user to go on as. Constrained impersonation is tried first, then the plain `impersonate` verb; when none is
 * allowed, the first refusal is the answer (KEP-5284).
 */
export async function authorizeImpersonation(
  wanted: UserInfo,
  attributes: AuthorizationAttributes,
  authorizer: Authorizer,
): Promise<ImpersonatedUser> {
  const mode = constrainedMode(wanted);
  const constrained = mode === undefined ? undefined : await checkConstrained(wanted, attributes, authorizer, mode);
  if (mode !== undefined && constrained !== undefined && !(constrained instanceof Error)) {
    return { user: constrained, constraint: `impersonate:${mode}` };
  }
  const legacy = await checkMode(wanted, attributes.user, authorizer, "impersonate", "");
  if (legacy instanceof Error) throw constrained ?? legacy;
  return { user: legacy, constraint: "" };
}

function constrainedMode(wanted: UserInfo): string | undefined {
  const onlyName = wanted.uid === "" && wanted.groups.length === 0 && Object.keys(wanted.extra).length === 0;
  if (wanted.name.startsWith("system:node:")) return onlyName ? "arbitrary-node" : undefined;
  if (splitServiceAccountUserName(wanted.name) !== undefined) return onlyName ? "serviceaccount" : undefined;
  return "user-info";
}

async function checkConstrained(
  wanted: UserInfo,
  asked: AuthorizationAttributes,
  authorizer: Authorizer,
  mode: string,
): Promise<UserInfo | Error> {
  const refusal = await check(authorizer, { ...asked, verb: `impersonate-on:${mode}:${asked.verb}` });
  if (refusal !== undefined) return refusal;
  return checkMode(wanted, asked.user, authorizer, `impersonate:${mode}`, AUTHENTICATION_GROUP);
}

async function checkMode(
  wanted: UserInfo,
  requestor: UserInfo,
  authorizer: Authorizer,
  verb: string,
  nameGroup: string,
): Promise<UserInfo | Error> {
  const constrained = nameGroup !== "";
  const ask = (
    apiGroup: string,
    resource: string,
    name: string,
    more: Partial<AuthorizationAttributes> = {},
  ): AuthorizationAttributes => ({
    user: requestor,
    verb,
    isResourceRequest: true,
    namespace: "",
    apiGroup,
    apiVersion: "v1",
    resource,
    subresource: "",
    name,
    path: "",
    ...more,
  });
  const account = splitServiceAccountUserName(wanted.name);
  const isNode = constrained && wanted.name.startsWith("system:node:");
  let groups = wanted.groups;
  let named = ask(nameGroup, "users", wanted.name);
  if (isNode) {
    named = ask(nameGroup, "nodes", wanted.name.slice("system:node:".length));
    groups = ["system:nodes"];
  } else if (account !== undefined) {
    named = ask(nameGroup, "serviceaccounts", account.name, { namespace: account.namespace });
    if (groups.length === 0) groups = serviceAccountGroups(account.namespace);
  }
  const needed = [named];
  if (wanted.uid !== "") needed.push(ask(AUTHENTICATION_GROUP, "uids", wanted.uid));
  if (constrained && wanted.groups.includes("system:masters")) {
    return forbiddenError(ask(nameGroup, "groups", "system:masters"), "impersonating the system:masters group is not allowed");
  }
  for (const group of wanted.groups) needed.push(ask(nameGroup, "groups", group));
  for (const [key, values] of Object.entries(wanted.extra)) {
    for (const value of values) needed.push(ask(AUTHENTICATION_GROUP, "userextras", value, { subresource: key }));
  }
  for (const attributes of needed) {
    const refusal = await check(authorizer, attributes);
    if (refusal !== undefined) return refusal;
  }
  return { ...wanted, groups: withImpliedGroup(wanted.name, groups) };
}

function withImpliedGroup(name: string, groups: readonly string[]): readonly string[] {
  const implied = name === ANONYMOUS.name ? UNAUTHENTICATED : groups.includes(UNAUTHENTICATED) ? undefined : AUTHENTICATED;
  return implied === undefined || groups.includes(implied) ? groups : [...groups, implied];
}

async function check(authorizer: Authorizer, attributes: AuthorizationAttributes): Promise<Error | undefined> {
  const { decision, reason } = await authorizer.authorize(attributes);
  return decision === "allow" ? undefined : forbiddenError(attributes, reason);
}

function text(value: string | readonly string[] | undefined): string {
  return typeof value === "string" ? value : (value?.[0] ?? "");
}

/** Go's `%#v` of a `*user.DefaultInfo`. */
function formatUser(user: UserInfo): string {
  const strings = (values: readonly string[]): string =>
    values.length === 0 ? "[]string(nil)" : `[]string{${values.map(goQuote).join(", ")}}`;
  const keys = Object.keys(user.extra).sort();
  const extra =
    keys.length === 0
      ? "map[string][]string(nil)"
      : `map[string][]string{${keys.map((key) => `${goQuote(key)}:${strings(user.extra[key] ?? [])}`).join(", ")}}`;
  return `&user.DefaultInfo{Name:${goQuote(user.name)}, UID:${goQuote(user.uid)}, Groups:${strings(user.groups)}, Extra:${extra}}`;
}
