import { timingSafeEqual } from "node:crypto";
import type { Secret, ServiceAccount } from "#api/generated/core/v1.ts";
import { notFound } from "#apimachinery/api-errors/errors.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import type { TokenMethod, TokenVerdict } from "#apiserver/authentication/token-union.ts";
import { serviceAccountGroups, splitServiceAccountUserName } from "#apiserver/authentication/users.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { Clock } from "#base/clock.ts";
import type { TokenVerifier } from "./token-verifier.ts";

/** Who the tokens in Secrets say that they are from. */
const LEGACY_ISSUER = "kubernetes/serviceaccount";
const PREFIX = "kubernetes.io/serviceaccount";
const LAST_USED = "kubernetes.io/legacy-token-last-used";
const INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since";

/** What a legacy token says of itself. */
interface LegacyClaims {
  readonly namespace: string;
  readonly secret: string;
  readonly account: string;
  readonly uid: string;
}

/** What {@link legacyServiceAccountTokens} works with. */
export interface LegacyTokenModules {
  readonly verifier: TokenVerifier;
  readonly stores: Stores;
  readonly clock: Clock;
  /** Writes a date into a Secret's label, once a day. Not waited for; must not reject. */
  readonly markUsed: (namespace: string, secret: string, label: string, date: string) => void;
}

/**
 * Tokens that stand in Secrets of type `kubernetes.io/service-account-token`. They have no end: one is good as long as its
 * Secret holds it and its account is there. Upstream's `legacyValidator`, with its tracking of use (KEP-2799).
 */
export function legacyServiceAccountTokens(modules: LegacyTokenModules): TokenMethod {
  return {
    async authenticate(token): Promise<TokenVerdict> {
      const claims = await modules.verifier.claims(token, [LEGACY_ISSUER]);
      if (claims === undefined) return undefined;
      const own = legacyClaims(claims);
      if (typeof own === "string") return { problem: own };
      const problem = problemOf(modules, token, own);
      if (problem !== undefined) return { problem };
      track(modules, own);
      const { namespace, account, uid } = own;
      return {
        user: { name: `system:serviceaccount:${namespace}:${account}`, uid, groups: serviceAccountGroups(namespace), extra: {} },
        holds: () => {
          if (problemOf(modules, token, own) !== undefined) return false;
          track(modules, own);
          return true;
        },
      };
    },
  };
}

function legacyClaims(claims: Readonly<Record<string, unknown>>): LegacyClaims | string {
  const text = (name: string): string => (typeof claims[name] === "string" ? (claims[name] as string) : "");
  const own: LegacyClaims = {
    namespace: text(`${PREFIX}/namespace`),
    secret: text(`${PREFIX}/secret.name`),
    account: text(`${PREFIX}/service-account.name`),
    uid: text(`${PREFIX}/service-account.uid`),
  };
  if (text("sub") === "") return "sub claim is missing";
  if (own.namespace === "") return "namespace claim is missing";
  if (own.secret === "") return "secretName claim is missing";
  if (own.account === "") return "serviceAccountName claim is missing";
  if (own.uid === "") return "serviceAccountUID claim is missing";
  const subject = splitServiceAccountUserName(text("sub"));
  return subject?.namespace === own.namespace && subject.name === own.account ? own : "sub claim is invalid";
}

function problemOf({ stores }: LegacyTokenModules, token: string, own: LegacyClaims): string | undefined {
  const { namespace, secret: secretName, account: name, uid } = own;
  const secret = stores.of<Secret>("", "secrets").cached(namespace, secretName);
  if (secret === undefined || secret.metadata?.deletionTimestamp) return "token has been invalidated";
  if (!isCopy(secret, token)) return "token does not match server's copy";
  const account = stores.of<ServiceAccount>("", "serviceaccounts").cached(namespace, name);
  if (account === undefined) return notFound({ group: "", resource: "serviceaccounts" }, name).message;
  if (account.metadata?.deletionTimestamp) return `ServiceAccount ${namespace}/${name} has been deleted`;
  if (account.metadata?.uid !== uid) {
    return `ServiceAccount UID (${account.metadata?.uid}) does not match claim (${uid})`;
  }
  if (secret.metadata?.labels?.[INVALID_SINCE] === undefined) return undefined;
  return `the token in secret ${namespace}/${secretName} for service account ${namespace}/${name} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${INVALID_SINCE}' label from the secret to temporarily allow use of this token`;
}

function isCopy({ data }: Secret, token: string): boolean {
  const [kept, given] = [Buffer.from(data?.token ?? "", "base64"), Buffer.from(token)];
  return kept.length === given.length && timingSafeEqual(kept, given);
}

function track({ stores, clock, markUsed }: LegacyTokenModules, { namespace, secret }: LegacyClaims): void {
  const today = formatTime(clock.now()).slice(0, "2006-01-02".length);
  const labels = stores.of<Secret>("", "secrets").cached(namespace, secret)?.metadata?.labels;
  if (labels?.[LAST_USED] !== today) markUsed(namespace, secret, LAST_USED, today);
}
