import { isSigned, readToken, type UnverifiedToken } from "../jws.ts";
import type { OidcProvider } from "./provider.ts";

/** Clocks of provider and server may differ by this much before a token counts as not yet valid, in seconds. */
const NOT_BEFORE_LEEWAY_SECONDS = 300;

/** What a token is held to. */
export interface TokenDemands {
  readonly audiences: readonly string[];
  /** Upstream's `--oidc-signing-algs`. */
  readonly algorithms: readonly string[];
  readonly nowMs: number;
}

/** Why a token of a provider is not good; undefined when it is. Rejects when the provider's keys cannot be fetched. */
export async function tokenProblem(
  token: UnverifiedToken,
  provider: Pick<OidcProvider, "keysFor">,
  demands: TokenDemands,
): Promise<string | undefined> {
  const problem = standardProblem(token, demands);
  if (problem !== undefined) return problem;
  return isSigned(token, await provider.keysFor(token.keyId)) ? undefined : "failed to verify signature";
}

/** Whom a token says that it is of; undefined for what is no token. Nothing of it is proven. */
export function unverifiedIssuer(token: string): string | undefined {
  const issuer = readToken(token)?.claims.iss;
  return typeof issuer === "string" ? issuer : undefined;
}

/** What the claims that every ID token has say against it (OpenID Connect Core 1.0 §3.1.3.7). */
function standardProblem({ claims, algorithm }: UnverifiedToken, demands: TokenDemands): string | undefined {
  const { audiences, algorithms, nowMs } = demands;
  const now = nowMs / 1000;
  const { aud, exp, nbf } = claims;
  const given: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!given.some((audience) => audiences.includes(String(audience)))) {
    return `oidc: expected audience in ${JSON.stringify(audiences)} got ${JSON.stringify(given)}`;
  }
  if (typeof exp !== "number" || exp < now) return "oidc: token is expired";
  if (typeof nbf === "number" && nbf > now + NOT_BEFORE_LEEWAY_SECONDS) return "oidc: the token is not valid yet";
  if (algorithms.includes(algorithm)) return undefined;
  return `oidc: id token signed with unsupported algorithm, expected ${JSON.stringify(algorithms)} got ${JSON.stringify(algorithm)}`;
}
