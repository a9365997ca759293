import type { Clock } from "#base/clock.ts";
import type { TokenAuthenticator, TokenOutcome } from "./authenticator.ts";

/** Upstream's `TokenSuccessCacheTTL`: so long a token outlives what it is bound to. */
const SUCCESS_MS = 10_000;
/** Tokens that are remembered; the oldest goes first. */
const ENTRIES_MAX = 4096;

interface Entry {
  readonly outcome: TokenOutcome;
  readonly until: number;
}

/** Remembers for a while which tokens were good, as upstream's token cache does. Refusals are not remembered. */
export class TokenCache implements TokenAuthenticator {
  readonly #tokens: TokenAuthenticator;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(tokens: TokenAuthenticator, clock: Clock) {
    this.#tokens = tokens;
    this.#clock = clock;
  }

  async authenticate(token: string, audiences: readonly string[]): Promise<TokenOutcome> {
    const key = [...audiences, token].join("\n");
    const known = this.#entries.get(key);
    if (known !== undefined && this.#clock.now() < known.until) return known.outcome;
    const outcome = await this.#tokens.authenticate(token, audiences);
    this.#entries.delete(key);
    if (outcome.user !== undefined) this.#remember(key, outcome);
    return outcome;
  }

  #remember(key: string, outcome: TokenOutcome): void {
    this.#entries.set(key, { outcome, until: this.#clock.now() + SUCCESS_MS });
    if (this.#entries.size <= ENTRIES_MAX) return;
    const oldest = this.#entries.keys().next().value;
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}
