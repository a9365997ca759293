import type { UserInfo } from "../../request/request-info.ts";
import type { JwtConfiguration } from "./jwt-configuration.ts";

type Claims = Readonly<Record<string, unknown>>;

/** A token's claims do not make a user. The message is upstream's. */
export class ClaimError extends Error {
  override readonly name = "ClaimError";
}

/** Whom the claims of a verified token name. Throws a {@link ClaimError}. */
export function userOfClaims(claims: Claims, configuration: JwtConfiguration): UserInfo {
  const { username, groups, uid } = configuration.claimMappings;
  const name = username.prefix + nameOf(claims, username.claim);
  const groupList = groups === undefined ? [] : groupsOf(claims, groups.claim).map((group) => groups.prefix + group);
  const user: UserInfo = {
    name,
    uid: uid === undefined ? "" : textOf(claims, uid.claim, `parse uid claim ${JSON.stringify(uid.claim)}`),
    groups: groupList,
    extra: typeof claims.jti === "string" ? { "authentication.kubernetes.io/credential-id": [`JTI=${claims.jti}`] } : {},
  };
  for (const { claim, requiredValue } of configuration.claimValidationRules) {
    if (claims[claim] === undefined) throw new ClaimError(`oidc: required claim ${claim} not present in ID token`);
    const value = textOf(claims, claim, `parse claim ${claim}`);
    if (value === requiredValue) continue;
    throw new ClaimError(`oidc: required claim ${claim} value does not match. Got = ${value}, want = ${requiredValue}`);
  }
  return user;
}

function nameOf(claims: Claims, claim: string): string {
  const name = textOf(claims, claim, `parse username claims ${JSON.stringify(claim)}`);
  // A provider that says whether an address was checked must have checked it.
  if (claim !== "email" || claims.email_verified === undefined) return name;
  if (typeof claims.email_verified !== "boolean") throw new ClaimError("oidc: parse 'email_verified' claim: not a boolean");
  if (!claims.email_verified) throw new ClaimError("oidc: email not verified");
  return name;
}

function groupsOf(claims: Claims, claim: string): readonly string[] {
  const value = claims[claim];
  if (value === undefined) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (!list.every((group): group is string => typeof group === "string")) {
    throw new ClaimError(`oidc: parse groups claim ${JSON.stringify(claim)}: neither a string nor a list of strings`);
  }
  return list;
}

function textOf(claims: Claims, claim: string, doing: string): string {
  const value = claims[claim];
  if (typeof value === "string") return value;
  throw new ClaimError(`oidc: ${doing}: ${value === undefined ? "claim not present" : "not a string"}`);
}
