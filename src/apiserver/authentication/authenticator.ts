import { unauthorized } from "#apimachinery/api-errors/errors.ts";
import type { UserInfo } from "../request/request-info.ts";
import type { Exchange } from "../server/exchange.ts";
import { type RequestHeaderNames, requestHeaderUser } from "./request-header.ts";
import { ANONYMOUS, authenticated } from "./users.ts";

/** Says who a token belongs to; undefined when it is not valid. */
export interface TokenAuthenticator {
  /** `audiences` are those of which the token must have one; the server's own when empty. */
  authenticate(token: string, audiences: readonly string[]): TokenOutcome | Promise<TokenOutcome>;
}

/** What came of looking at a token. */
export type TokenOutcome =
  | {
      readonly user: UserInfo;
      readonly audiences: readonly string[];
      /** Whether the same token has the same user still. Absent: it has to be asked again. */
      readonly holds?: () => boolean;
    }
  | { readonly user: undefined; readonly error: string };

/** Who may come in without credentials: nobody, anybody, or those who ask for one of the paths. */
export interface AnonymousAccess {
  readonly enabled: boolean;
  /** Exactly these; every path when absent. */
  readonly paths?: readonly string[];
}

export interface AuthenticatorOptions {
  readonly tokens: TokenAuthenticator | undefined;
  /** Where proxies write whom they ask for. */
  readonly requestHeaders: RequestHeaderNames;
  readonly anonymous: AnonymousAccess;
}

interface Shown {
  readonly header: string;
  readonly user: UserInfo;
  readonly holds: () => boolean;
}

const BEARER_PROTOCOL = "base64url.bearer.authorization.k8s.io.";

/**
 * Tries what a trusted proxy says, then the client certificate, the bearer token, and at last anonymous; answers at once
 * where no token has to be checked. Throws 401: who shows credentials that are not good is not anonymous.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  /** What the last request of a connection had in its header, which the next one mostly has as well. */
  readonly #shown = new WeakMap<object, Shown>();

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /** `path` is the decoded path of the request. */
  authenticate(exchange: Exchange, path: string): UserInfo | Promise<UserInfo> {
    const { peer } = exchange;
    if (peer?.isProxy === true) {
      const user = requestHeaderUser(exchange, this.#options.requestHeaders);
      if (user !== undefined) return authenticated(user);
    }
    if (peer?.user !== undefined) return peer.user;
    const shown = exchange.connection && this.#shown.get(exchange.connection);
    if (shown !== undefined && shown.header === exchange.headers.authorization && shown.holds()) return shown.user;
    const token = bearerToken(exchange) ?? protocolToken(exchange);
    if (token !== undefined) return this.#byToken(token, exchange);
    const { enabled, paths } = this.#options.anonymous;
    if (peer !== undefined || !enabled || paths?.includes(path) === false) throw unauthorized("Unauthorized");
    return ANONYMOUS;
  }

  #byToken(token: string, exchange: Exchange): UserInfo | Promise<UserInfo> {
    const outcome = this.#options.tokens?.authenticate(token, []);
    if (outcome instanceof Promise) return outcome.then((told) => this.#remember(told, exchange));
    return this.#remember(outcome, exchange);
  }

  #remember(outcome: TokenOutcome | undefined, { connection, headers }: Exchange): UserInfo {
    if (outcome?.user === undefined) throw unauthorized("Unauthorized");
    const { user, holds } = outcome;
    const header = headers.authorization;
    if (connection !== undefined && holds !== undefined && typeof header === "string") {
      this.#shown.set(connection, { header, user, holds });
    }
    return user;
  }
}

/** The token of `Authorization: Bearer TOKEN`; undefined for other schemes and empty tokens. */
function bearerToken({ headers }: Exchange): string | undefined {
  const header = headers.authorization;
  if (typeof header !== "string") return undefined;
  const [scheme = "", token = ""] = header.trim().split(" ");
  return scheme.toLowerCase() === "bearer" && token !== "" ? token : undefined;
}

/** Browsers cannot set headers on a WebSocket: they send the token as one of several subprotocols. */
function protocolToken({ headers }: Exchange): string | undefined {
  const header = headers["sec-websocket-protocol"];
  if (typeof header !== "string" || String(headers.upgrade).toLowerCase() !== "websocket") return undefined;
  const protocols = header.split(",").map((protocol) => protocol.trim());
  const found = protocols.filter((protocol) => protocol.startsWith(BEARER_PROTOCOL));
  if (found.length !== 1 || protocols.length < 2) return undefined;
  const token = Buffer.from(found[0]?.slice(BEARER_PROTOCOL.length) ?? "", "base64url").toString("utf8");
  return token === "" ? undefined : token;
}
