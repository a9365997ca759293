import type { KeyObject } from "node:crypto";
import { aggregateMessages, notFound } from "#apimachinery/api-errors/errors.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { TokenAuthenticator, TokenOutcome } from "#apiserver/authentication/authenticator.ts";
import { AUTHENTICATED, serviceAccountGroups, serviceAccountUserName } from "#apiserver/authentication/users.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";

/** What tokens are signed and verified with. */
export interface TokenKeys {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly keyId: string;
}

/** Upstream's default `--service-account-issuer` of a cluster made by the guides; also the audience of its API server. */
export const SERVICE_ACCOUNT_ISSUER = "https://kubernetes.default.svc.cluster.local";

/** Tokens whose signature is remembered: checking one costs a tenth of a millisecond. */
const VERIFIED_TOKENS_MAX = 1000;

interface NamedReference {
  readonly name: string;
  readonly uid: string;
}

/** The private part of upstream's claims. */
export interface KubernetesClaims {
  readonly namespace: string;
  readonly serviceaccount: NamedReference;
  readonly pod?: NamedReference;
  readonly secret?: NamedReference;
  readonly node?: NamedReference;
}

interface Claims {
  readonly aud: string | readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly nbf: number;
  readonly iss: string;
  readonly jti?: string;
  readonly sub: string;
  readonly "kubernetes.io"?: KubernetesClaims;
}

/** A token that was issued, and when it ends in milliseconds since the Unix epoch. */
export interface IssuedToken {
  readonly token: string;
  readonly expiresAt: number;
}

/** Issues the tokens of service accounts as JSON web tokens, and says whom a token belongs to (KEP-1205). */
export class ServiceAccountTokens implements TokenAuthenticator {
  readonly #keys: () => Promise<TokenKeys>;
  readonly #stores: Stores;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #verified = new Map<string, Claims>();

  constructor(modules: { keys: () => Promise<TokenKeys>; stores: Stores; clock: Clock; random: Random }) {
    this.#keys = modules.keys;
    this.#stores = modules.stores;
    this.#clock = modules.clock;
    this.#random = modules.random;
  }

  async issue(claims: KubernetesClaims, audiences: readonly string[], lifetimeSeconds: number): Promise<IssuedToken> {
    const { SignJWT } = await import("jose");
    const { privateKey, keyId } = await this.#keys();
    const now = Math.floor(this.#clock.now() / 1000);
    const { namespace, serviceaccount } = claims;
    const token = await new SignJWT({ "kubernetes.io": claims })
      .setProtectedHeader({ alg: "RS256", kid: keyId })
      .setAudience([...audiences])
      .setExpirationTime(now + lifetimeSeconds)
      .setIssuedAt(now)
      .setNotBefore(now)
      .setIssuer(SERVICE_ACCOUNT_ISSUER)
      .setJti(this.#random.uuid())
      .setSubject(serviceAccountUserName(namespace, serviceaccount.name))
      .sign(privateKey);
    return { token, expiresAt: (now + lifetimeSeconds) * 1000 };
  }

  async authenticate(token: string, audiences: readonly string[]): Promise<TokenOutcome> {
    const claims = this.#verified.get(token) ?? (await this.#verify(token));
    if (claims === undefined) return { user: undefined, error: INVALID };
    const own = claims["kubernetes.io"];
    if (own === undefined) return { user: undefined, error: INVALID };
    const target = audiences.length === 0 ? [SERVICE_ACCOUNT_ISSUER] : audiences;
    const has = typeof claims.aud === "string" ? [claims.aud] : claims.aud;
    const shared = target.filter((audience) => has.includes(audience));
    if (shared.length === 0) {
      return refused(`token audiences ${quoteAll(has)} is invalid for the target audiences ${quoteAll(target)}`);
    }
    const problem = this.#problem(claims, own);
    return problem === undefined ? { user: userOf(claims, own), audiences: shared } : refused(problem);
  }

  async #verify(token: string): Promise<Claims | undefined> {
    if (token.split(".").length !== 3) return undefined;
    const { compactVerify } = await import("jose");
    const { publicKey } = await this.#keys();
    try {
      const { payload } = await compactVerify(token, publicKey, { algorithms: ["RS256"] });
      const claims = JSON.parse(Buffer.from(payload).toString("utf8")) as Claims;
      if (claims.iss !== SERVICE_ACCOUNT_ISSUER) return undefined;
      if (this.#verified.size >= VERIFIED_TOKENS_MAX) this.#forgetOldest();
      this.#verified.set(token, claims);
      return claims;
    } catch {
      return undefined;
    }
  }

  #forgetOldest(): void {
    const oldest = this.#verified.keys().next().value;
    if (oldest !== undefined) this.#verified.delete(oldest);
  }

  #problem(claims: Claims, own: KubernetesClaims): string | undefined {
    const now = this.#clock.now() / 1000;
    if (now < claims.nbf) return "service account token is not valid yet";
    if (now > claims.exp) return "service account token has expired";
    return (
      this.#bound("serviceaccounts", own.namespace, own.serviceaccount) ??
      this.#bound("secrets", own.namespace, own.secret) ??
      this.#bound("pods", own.namespace, own.pod) ??
      (own.pod === undefined ? this.#bound("nodes", "", own.node) : undefined)
    );
  }

  /** A token ends with each object that it is bound to. */
  #bound(resource: string, namespace: string, reference: NamedReference | undefined): string | undefined {
    if (reference === undefined) return undefined;
    const object: ApiObject | undefined = this.#stores.of("", resource).cached(namespace, reference.name);
    if (object === undefined) return notFound({ group: "", resource }, reference.name).message;
    return object.metadata.uid === reference.uid ? undefined : `the UID of the bound ${resource.slice(0, -1)} does not match`;
  }
}

const INVALID = "invalid bearer token";

function refused(problem: string): TokenOutcome {
  return { user: undefined, error: aggregateMessages([INVALID, problem]) };
}

function quoteAll(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(" ")}]`;
}

function userOf(
  claims: Claims,
  own: KubernetesClaims,
): { name: string; uid: string; groups: string[]; extra: Record<string, string[]> } {
  const prefix = "authentication.kubernetes.io";
  const extra: Record<string, string[]> = {};
  if (claims.jti !== undefined) extra[`${prefix}/credential-id`] = [`JTI=${claims.jti}`];
  if (own.pod !== undefined) {
    extra[`${prefix}/pod-name`] = [own.pod.name];
    extra[`${prefix}/pod-uid`] = [own.pod.uid];
  }
  if (own.node !== undefined) {
    extra[`${prefix}/node-name`] = [own.node.name];
    if (own.node.uid !== "") extra[`${prefix}/node-uid`] = [own.node.uid];
  }
  return {
    name: claims.sub,
    uid: own.serviceaccount.uid,
    groups: [...serviceAccountGroups(own.namespace), AUTHENTICATED],
    extra,
  };
}
