import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";

/** How long a token can be redeemed, in milliseconds; upstream's `cacheTTL`. */
export const TOKEN_TTL_MS = 60_000;
/** Tokens that may wait to be redeemed; upstream's `maxInFlight`. */
export const TOKENS_MAX = 1000;
const TOKEN_BYTES = 8;

/** Too many requests wait to be taken up; they are to come later. */
export class TooManyRequestsError extends Error {
  override readonly name = "TooManyRequestsError";
  constructor() {
    super("rpc error: code = ResourceExhausted desc = maximum number of in-flight requests exceeded");
  }
}

/** Keeps requests under tokens that are good for one use, and for a while. */
export class RequestCache<T> {
  readonly #clock: Clock;
  readonly #random: Random;
  /** In the order of their age. */
  readonly #requests = new Map<string, { readonly request: T; readonly expiresAtMs: number }>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Throws {@link TooManyRequestsError}. */
  insert(request: T): string {
    this.#dropExpired();
    if (this.#requests.size >= TOKENS_MAX) throw new TooManyRequestsError();
    const token = Buffer.from(this.#random.bytes(TOKEN_BYTES)).toString("base64url");
    this.#requests.set(token, { request, expiresAtMs: this.#clock.elapsed() + TOKEN_TTL_MS });
    return token;
  }

  consume(token: string): T | undefined {
    this.#dropExpired();
    const found = this.#requests.get(token);
    this.#requests.delete(token);
    return found?.request;
  }

  #dropExpired(): void {
    const now = this.#clock.elapsed();
    for (const [token, { expiresAtMs }] of this.#requests) {
      if (expiresAtMs > now) break;
      this.#requests.delete(token);
    }
  }
}
