import { unauthorized } from "#apimachinery/api-errors/errors.ts";
import type { UserInfo } from "../request/request-info.ts";
import type { Exchange, RequestHeaders } from "../server/exchange.ts";
import { ANONYMOUS } from "./users.ts";

/** Says who a token belongs to; undefined when it is not valid. */
export interface TokenAuthenticator {
  /** `audiences` are those of which the token must have one; the server's own when empty. */
  authenticate(token: string, audiences: readonly string[]): Promise<TokenOutcome>;
}

/** What came of looking at a token. */
export type TokenOutcome =
  | { readonly user: UserInfo; readonly audiences: readonly string[] }
  | { readonly user: undefined; readonly error: string };

export interface AuthenticatorOptions {
  readonly tokens: TokenAuthenticator | undefined;
  /** Requests without credentials are `system:anonymous` instead of refused. */
  readonly anonymousAuth: boolean;
}

/** Tries client certificate, then bearer token, then anonymous; answers at once where no token has to be checked. Throws 401. */
export class Authenticator {
  readonly #options: AuthenticatorOptions;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  authenticate(exchange: Exchange): UserInfo | Promise<UserInfo> {
    if (exchange.certificateUser !== undefined) return exchange.certificateUser;
    const token = bearerToken(exchange.headers);
    if (token !== undefined) return this.#byToken(token);
    if (!this.#options.anonymousAuth) throw unauthorized("Unauthorized");
    return ANONYMOUS;
  }

  async #byToken(token: string): Promise<UserInfo> {
    const outcome = await this.#options.tokens?.authenticate(token, []);
    if (outcome?.user === undefined) throw unauthorized("Unauthorized");
    return outcome.user;
  }
}

/** The token of `Authorization: Bearer TOKEN`; undefined for other schemes and empty tokens. */
function bearerToken(headers: RequestHeaders): string | undefined {
  const header = headers.authorization;
  if (typeof header !== "string") return undefined;
  const [scheme = "", token = ""] = header.trim().split(" ");
  return scheme.toLowerCase() === "bearer" && token !== "" ? token : undefined;
}
