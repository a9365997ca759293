import { CelList, type CelValue } from "#apimachinery/cel/values.ts";
import type { UserInfo } from "../../request/request-info.ts";
import type { ExpressionRule, JwtConfiguration, PrefixedClaim } from "./jwt-configuration.ts";

type Claims = Readonly<Record<string, unknown>>;
type Mappings = JwtConfiguration["claimMappings"];

/** A token's claims do not make a user. The message is upstream's. */
export class ClaimError extends Error {
  override readonly name = "ClaimError";
}

/** Whom the claims of a verified token name. Throws a {@link ClaimError}. */
export function userOfClaims(claims: Claims, configuration: JwtConfiguration): UserInfo {
  const { claimMappings, claimValidationRules, userValidationRules = [] } = configuration;
  const user: UserInfo = {
    name: nameOf(claims, claimMappings.username),
    groups: groupsOf(claims, claimMappings.groups),
    uid: uidOf(claims, claimMappings.uid),
    extra: extraOf(claims, claimMappings.extra),
  };
  for (const rule of claimValidationRules) {
    if ("expression" in rule) checkRule(rule, claims, "claim validation expression");
    else checkRequired(claims, rule);
  }
  const { name: username, ...rest } = user;
  for (const rule of userValidationRules) checkRule(rule, { username, ...rest }, "user info validation rule");
  return user;
}

function nameOf(claims: Claims, username: Mappings["username"]): string {
  if ("source" in username) {
    const name = evaluated(() => username.evaluate(claims), "username claim expression");
    if (typeof name !== "string") throw failed("username claim expression", "username claim expression must return a string");
    if (name === "") throw new ClaimError("oidc: empty username via CEL expression is not allowed");
    return name;
  }
  return username.prefix + claimedName(claims, username.claim);
}

function claimedName(claims: Claims, claim: string): string {
  const name = textOf(claims, claim, `parse username claims ${JSON.stringify(claim)}`);
  // A provider that says whether an address was checked must have checked it.
  if (claim !== "email" || claims.email_verified === undefined) return name;
  if (typeof claims.email_verified !== "boolean") throw new ClaimError("oidc: parse 'email_verified' claim: not a boolean");
  if (!claims.email_verified) throw new ClaimError("oidc: email not verified");
  return name;
}

function groupsOf(claims: Claims, groups: Mappings["groups"]): readonly string[] {
  if (groups === undefined) return [];
  if ("source" in groups) return listOfTexts(() => groups.evaluate(claims), "group claim expression");
  return claimedGroups(claims, groups).map((group) => groups.prefix + group);
}

function claimedGroups(claims: Claims, { claim }: PrefixedClaim): readonly string[] {
  const value = claims[claim];
  if (value === undefined) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (!list.every((group): group is string => typeof group === "string")) {
    throw new ClaimError(`oidc: parse groups claim ${JSON.stringify(claim)}: neither a string nor a list of strings`);
  }
  return list;
}

function uidOf(claims: Claims, uid: Mappings["uid"]): string {
  if (uid === undefined) return "";
  if ("claim" in uid) return textOf(claims, uid.claim, `parse uid claim ${JSON.stringify(uid.claim)}`);
  const value = evaluated(() => uid.evaluate(claims), "uid claim expression");
  if (typeof value !== "string") throw failed("uid claim expression", "uid claim expression must return a string");
  return value;
}

function extraOf(claims: Claims, mappings: Mappings["extra"] = []): Record<string, readonly string[]> {
  const extra: Record<string, readonly string[]> = {};
  if (typeof claims.jti === "string") extra["authentication.kubernetes.io/credential-id"] = [`JTI=${claims.jti}`];
  for (const { key, value } of mappings) {
    const values = listOfTexts(() => value.evaluate(claims), `extra claim expression: ${value.source}`);
    if (values.length > 0) extra[key] = values;
  }
  return extra;
}

function checkRequired(
  claims: Claims,
  { claim, requiredValue }: { readonly claim: string; readonly requiredValue: string },
): void {
  if (claims[claim] === undefined) throw new ClaimError(`oidc: required claim ${claim} not present in ID token`);
  const value = textOf(claims, claim, `parse claim ${claim}`);
  if (value === requiredValue) return;
  throw new ClaimError(`oidc: required claim ${claim} value does not match. Got = ${value}, want = ${requiredValue}`);
}

function checkRule({ expression, message }: ExpressionRule, about: object, what: string): void {
  if (evaluated(() => expression.evaluate(about), what) === true) return;
  throw failed(what, `validation expression '${expression.source}' failed: ${message}`);
}

/** Upstream's `convertCELValueToStringList`: empty texts count for nothing. */
function listOfTexts(evaluate: () => CelValue, what: string): readonly string[] {
  const value = evaluated(evaluate, what);
  if (value === null) return [];
  const list: readonly CelValue[] = value instanceof CelList ? [...value] : [value];
  if (list.every((item): item is string => typeof item === "string")) return list.filter((item) => item !== "");
  throw failed(what, "expression must return a string or a list of strings");
}

function evaluated(evaluate: () => CelValue, what: string): CelValue {
  try {
    return evaluate();
  } catch (error) {
    throw failed(what, (error as Error).message);
  }
}

function failed(what: string, why: string): ClaimError {
  return new ClaimError(`oidc: error evaluating ${what}: ${why}`);
}

function textOf(claims: Claims, claim: string, doing: string): string {
  const value = claims[claim];
  if (typeof value === "string") return value;
  throw new ClaimError(`oidc: ${doing}: ${value === undefined ? "claim not present" : "not a string"}`);
}
