import { notFound } from "#apimachinery/api-errors/errors.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { type SigningKey, signToken } from "#apiserver/authentication/jws.ts";
import type { TokenMethod, TokenVerdict } from "#apiserver/authentication/token-union.ts";
import { serviceAccountGroups, serviceAccountUserName } from "#apiserver/authentication/users.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { UserInfo } from "#apiserver/request/request-info.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { TokenVerifier } from "./token-verifier.ts";

/** Upstream's default `--service-account-issuer` of a cluster made by the guides; also the audience of its API server. */
export const SERVICE_ACCOUNT_ISSUER = "https://kubernetes.default.svc.cluster.local";

/** An object whose deletion was asked for holds its tokens up for so long after its time is over. */
const DELETION_LEEWAY_MS = 60_000;

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
  /** Seconds since the Unix epoch: from then on the holder should have asked for a new one. */
  readonly warnafter?: number;
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

/** What {@link ServiceAccountTokens} works with. */
export interface ServiceAccountTokensModules {
  readonly signingKey: () => Promise<SigningKey>;
  readonly verifier: TokenVerifier;
  /** The first one issues; tokens of the others are taken too. Upstream's `--service-account-issuer`. */
  readonly issuers: readonly string[];
  readonly stores: Stores;
  readonly clock: Clock;
  readonly random: Random;
}

/** Issues the tokens of service accounts as JSON web tokens, and says whom a token belongs to (KEP-1205). */
export class ServiceAccountTokens implements TokenMethod {
  readonly #modules: ServiceAccountTokensModules;

  constructor(modules: ServiceAccountTokensModules) {
    this.#modules = modules;
  }

  async issue(claims: KubernetesClaims, audiences: readonly string[], lifetimeSeconds: number): Promise<IssuedToken> {
    const { clock, random, issuers, signingKey } = this.#modules;
    const now = Math.floor(clock.now() / 1000);
    const { namespace, serviceaccount } = claims;
    const content: Claims = {
      aud: audiences,
      exp: now + lifetimeSeconds,
      iat: now,
      iss: issuers[0] ?? "",
      jti: random.uuid(),
      "kubernetes.io": claims,
      nbf: now,
      sub: serviceAccountUserName(namespace, serviceaccount.name),
    };
    return { token: await signToken(content, await signingKey()), expiresAt: (now + lifetimeSeconds) * 1000 };
  }

  async authenticate(token: string, audiences: readonly string[]): Promise<TokenVerdict> {
    const claims = (await this.#modules.verifier.claims(token, this.#modules.issuers)) as Claims | undefined;
    const own = claims?.["kubernetes.io"];
    if (claims === undefined || own === undefined) return undefined;
    const has = typeof claims.aud === "string" ? [claims.aud] : claims.aud;
    const shared = audiences.filter((audience) => has.includes(audience));
    if (shared.length === 0) {
      return { problem: `token audiences ${quoteAll(has)} is invalid for the target audiences ${quoteAll(audiences)}` };
    }
    const problem = this.#problem(claims, own);
    if (problem !== undefined) return { problem };
    return { user: userOf(claims, own), audiences: shared, holds: () => this.#problem(claims, own) === undefined };
  }

  #problem(claims: Claims, own: KubernetesClaims): string | undefined {
    const now = this.#modules.clock.now() / 1000;
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
    const { stores, clock } = this.#modules;
    const object: ApiObject | undefined = stores.of("", resource).cached(namespace, reference.name);
    if (object === undefined) return notFound({ group: "", resource }, reference.name).message;
    if (object.metadata.uid !== reference.uid) return `the UID of the bound ${resource.slice(0, -1)} does not match`;
    const deletion = parseTime(object.metadata.deletionTimestamp);
    const isGone = deletion !== undefined && deletion + DELETION_LEEWAY_MS < clock.now();
    return isGone ? "service account token has been invalidated" : undefined;
  }
}

function quoteAll(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(" ")}]`;
}

function userOf(claims: Claims, own: KubernetesClaims): UserInfo {
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
  return { name: claims.sub, uid: own.serviceaccount.uid, groups: serviceAccountGroups(own.namespace), extra };
}
