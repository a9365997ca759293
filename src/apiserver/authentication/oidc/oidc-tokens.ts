import type { Clock } from "#base/clock.ts";
import { readToken } from "../jws.ts";
import type { TokenMethod, TokenVerdict } from "../token-union.ts";
import { ClaimError, userOfClaims } from "./claims-user.ts";
import type { DistributedClaims } from "./distributed-claims.ts";
import type { JwtConfiguration } from "./jwt-configuration.ts";
import type { OidcProvider } from "./provider.ts";
import { tokenProblem } from "./verify-token.ts";

export interface OidcTokensOptions {
  readonly configuration: JwtConfiguration;
  readonly provider: OidcProvider;
  /** Upstream's `--oidc-signing-algs`. */
  readonly algorithms: readonly string[];
  /** Finds groups that stand elsewhere; absent where groups are no claim. */
  readonly distributed?: Pick<DistributedClaims, "expand">;
  readonly clock: Clock;
}

/** Takes the ID tokens of one OpenID provider (upstream's `oidc.jwtAuthenticator`). */
export function oidcTokens({ configuration, provider, algorithms, distributed, clock }: OidcTokensOptions): TokenMethod {
  const { url, audiences } = configuration.issuer;
  const expanded = async (claims: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> => {
    try {
      return distributed === undefined ? claims : await distributed.expand(claims);
    } catch (error) {
      throw new ClaimError(`oidc: could not expand distributed claims: ${(error as Error).message}`);
    }
  };
  return {
    async authenticate(token): Promise<TokenVerdict> {
      const unverified = readToken(token);
      if (unverified === undefined || unverified.claims.iss !== url) return undefined;
      if (!provider.isReady) return { problem: "oidc: authenticator not initialized" };
      try {
        const problem = await tokenProblem(unverified, provider, { audiences, algorithms, nowMs: clock.now() });
        if (problem !== undefined) return { problem: `oidc: verify token: ${problem}` };
        return { user: userOfClaims(await expanded(unverified.claims), configuration) };
      } catch (error) {
        const { message } = error as Error;
        return { problem: error instanceof ClaimError ? message : `oidc: verify token: fetching keys ${message}` };
      }
    },
  };
}
