import { aggregateMessages } from "#apimachinery/api-errors/errors.ts";
import type { UserInfo } from "../request/request-info.ts";
import type { TokenAuthenticator, TokenOutcome } from "./authenticator.ts";
import { authenticated } from "./users.ts";

/** What one kind of token says; undefined when the token is none of its kind. */
export type TokenVerdict =
  | {
      readonly user: UserInfo;
      /** Those of the asked audiences that the token is for. Absent: tokens of this kind are for the API server. */
      readonly audiences?: readonly string[];
    }
  | { readonly problem: string }
  | undefined;

/** One kind of token. Never rejects. */
export interface TokenMethod {
  /** `audiences` is never empty. */
  authenticate(token: string, audiences: readonly string[]): Promise<TokenVerdict> | TokenVerdict;
}

const INVALID = "invalid bearer token";

/** Asks one kind of token after the other, and tells the problems of all when none knows it. */
export class TokenUnion implements TokenAuthenticator {
  readonly #methods: readonly TokenMethod[];
  readonly #apiAudiences: readonly string[];

  /** `apiAudiences`: who the API server is. */
  constructor(methods: readonly TokenMethod[], apiAudiences: readonly string[]) {
    this.#methods = methods;
    this.#apiAudiences = apiAudiences;
  }

  async authenticate(token: string, audiences: readonly string[]): Promise<TokenOutcome> {
    const target = audiences.length === 0 ? this.#apiAudiences : audiences;
    const problems: string[] = [];
    for (const method of this.#methods) {
      const verdict = await method.authenticate(token, target);
      if (verdict === undefined) continue;
      if ("problem" in verdict) {
        problems.push(verdict.problem);
        continue;
      }
      const shared = verdict.audiences ?? target.filter((audience) => this.#apiAudiences.includes(audience));
      if (shared.length > 0) return { user: authenticated(verdict.user), audiences: shared };
    }
    return { user: undefined, error: problems.length === 0 ? INVALID : aggregateMessages([INVALID, ...problems]) };
  }
}
