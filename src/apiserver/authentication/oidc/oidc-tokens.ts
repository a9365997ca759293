import type { Clock } from "#base/clock.ts";
import { isSigned, readToken, type UnverifiedToken } from "../jws.ts";
import type { TokenMethod, TokenVerdict } from "../token-union.ts";
import { ClaimError, userOfClaims } from "./claims-user.ts";
import type { JwtConfiguration } from "./jwt-configuration.ts";
import type { OidcProvider } from "./provider.ts";

/** Clocks of provider and server may differ by this much before a token counts as not yet valid, in seconds. */
const NOT_BEFORE_LEEWAY_SECONDS = 300;

export interface OidcTokensOptions {
  readonly configuration: JwtConfiguration;
  readonly provider: OidcProvider;
  /** Upstream's `--oidc-signing-algs`. */
  readonly algorithms: readonly string[];
  readonly clock: Clock;
}

/** Takes the ID tokens of one OpenID provider (upstream's `oidc.jwtAuthenticator`). */
export function oidcTokens({ configuration, provider, algorithms, clock }: OidcTokensOptions): TokenMethod {
  const { url, audiences } = configuration.issuer;
  return {
    async authenticate(token): Promise<TokenVerdict> {
      const unverified = readToken(token);
      if (unverified === undefined || unverified.claims.iss !== url) return undefined;
      if (!provider.isReady) return { problem: "oidc: authenticator not initialized" };
      try {
        const problem =
          standardProblem(unverified, audiences, algorithms, clock.now() / 1000) ??
          (isSigned(unverified, await provider.keysFor(unverified.keyId)) ? undefined : "failed to verify signature");
        if (problem !== undefined) return { problem: `oidc: verify token: ${problem}` };
        return { user: userOfClaims(unverified.claims, configuration) };
      } catch (error) {
        const { message } = error as Error;
        return { problem: error instanceof ClaimError ? message : `oidc: verify token: fetching keys ${message}` };
      }
    },
  };
}

/** What the claims that every ID token has say against it (OpenID Connect Core 1.0 §3.1.3.7). */
function standardProblem(
  { claims, algorithm }: UnverifiedToken,
  audiences: readonly string[],
  algorithms: readonly string[],
  now: number,
): string | undefined {
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
