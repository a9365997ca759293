import { hash } from "node:crypto";
import { aggregateMessages } from "#apimachinery/api-errors/errors.ts";
import { OldestFirst } from "#base/oldest-first.ts";
import type { UserInfo } from "../request/request-info.ts";
import type { TokenAuthenticator, TokenOutcome } from "./authenticator.ts";
import { authenticated } from "./users.ts";

/** What one kind of token says; undefined when the token is none of its kind. */
export type TokenVerdict =
  | {
      readonly user: UserInfo;
      /** Those of the asked audiences that the token is for. Absent: tokens of this kind are for the API server. */
      readonly audiences?: readonly string[];
      /** Whether the same token has the same user still: looked at for each request in place of the token. Absent: not known. */
      readonly holds?: () => boolean;
    }
  | { readonly problem: string }
  | undefined;

/** One kind of token. Never rejects. */
export interface TokenMethod {
  /** `audiences` is never empty. */
  authenticate(token: string, audiences: readonly string[]): Promise<TokenVerdict> | TokenVerdict;
}

const INVALID = "invalid bearer token";
/** Tokens that are known by their hash. */
const KNOWN_TOKENS_MAX = 4096;

type Known = Extract<TokenOutcome, { readonly audiences: unknown }>;

/**
 * Asks one kind of token after the other, and tells the problems of all when none knows it. Who showed a token is known when
 * it comes again, as long as the kind that knew it says that nothing has changed.
 */
export class TokenUnion implements TokenAuthenticator {
  #methods: readonly TokenMethod[];
  readonly #apiAudiences: readonly string[];
  readonly #known = new Map<string, Known>();
  readonly #oldest = new OldestFirst(this.#known);

  /** `apiAudiences`: who the API server is. */
  constructor(methods: readonly TokenMethod[], apiAudiences: readonly string[]) {
    this.#methods = methods;
    this.#apiAudiences = apiAudiences;
  }

  /** Asks others from now on. */
  useMethods(methods: readonly TokenMethod[]): void {
    this.#methods = methods;
    this.#known.clear();
  }

  authenticate(token: string, audiences: readonly string[]): TokenOutcome | Promise<TokenOutcome> {
    if (audiences.length > 0) return this.#ask(token, audiences);
    const digest = hash("sha256", token, "base64");
    const known = this.#known.get(digest);
    if (known?.holds?.() === true) return known;
    this.#known.delete(digest);
    return this.#askAndRemember(token, digest);
  }

  async #askAndRemember(token: string, digest: string): Promise<TokenOutcome> {
    const outcome = await this.#ask(token, this.#apiAudiences);
    if (outcome.user === undefined || outcome.holds === undefined) return outcome;
    if (this.#known.size >= KNOWN_TOKENS_MAX) {
      const oldest = this.#oldest.next();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.set(digest, outcome);
    return outcome;
  }

  async #ask(token: string, audiences: readonly string[]): Promise<TokenOutcome> {
    const problems: string[] = [];
    for (const method of this.#methods) {
      const verdict = await method.authenticate(token, audiences);
      if (verdict === undefined) continue;
      if ("problem" in verdict) {
        problems.push(verdict.problem);
        continue;
      }
      const { user, holds } = verdict;
      const shared = verdict.audiences ?? audiences.filter((audience) => this.#apiAudiences.includes(audience));
      if (shared.length > 0) return { user: authenticated(user), audiences: shared, ...(holds === undefined ? {} : { holds }) };
    }
    return { user: undefined, error: problems.length === 0 ? INVALID : aggregateMessages([INVALID, ...problems]) };
  }
}
