import type { Clock } from "#base/clock.ts";
import { AnswerCache } from "../answer-cache.ts";
import type { TokenAuthenticator, TokenOutcome } from "./authenticator.ts";

/**
 * So long a token outlives what it is bound to. Upstream's `TokenSuccessCacheTTL` is ten seconds; a check costs less here,
 * and a token of a pod that is gone is worth refusing soon.
 */
const SUCCESS_MS = 800;
/** Tokens that are remembered. */
const ENTRIES_MAX = 4096;

/** Remembers for a while which tokens were good, as upstream's token cache does. Refusals are not remembered. */
export class TokenCache implements TokenAuthenticator {
  readonly #tokens: TokenAuthenticator;
  readonly #known: AnswerCache<TokenOutcome>;

  constructor(tokens: TokenAuthenticator, clock: Clock) {
    this.#tokens = tokens;
    this.#known = new AnswerCache(clock, ENTRIES_MAX);
  }

  authenticate(token: string, audiences: readonly string[]): Promise<TokenOutcome> {
    return this.#known.fetch(
      [...audiences, token].join("\n"),
      () => this.#tokens.authenticate(token, audiences),
      ({ user }) => (user === undefined ? 0 : SUCCESS_MS),
    );
  }
}
