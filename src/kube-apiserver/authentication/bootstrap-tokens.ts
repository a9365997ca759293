import { timingSafeEqual } from "node:crypto";
import type { Secret } from "#api/generated/core/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import type { TokenMethod } from "#apiserver/authentication/token-union.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { Clock } from "#base/clock.ts";

const NAMESPACE = "kube-system";
const SECRET_TYPE = "bootstrap.kubernetes.io/token";
const DEFAULT_GROUP = "system:bootstrappers";
const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

/**
 * Tokens that nodes join with: `ID.SECRET`, out of Secrets named `bootstrap-token-ID` in `kube-system`. Off unless
 * `--enable-bootstrap-token-auth`. Whatever is wrong with one, the token is simply not known (upstream's `TokenAuthenticator`).
 */
export function bootstrapTokens(modules: { readonly stores: Stores; readonly clock: Clock }): TokenMethod {
  return {
    authenticate(token) {
      const [, id = "", secretPart = ""] = TOKEN.exec(token) ?? [];
      if (id === "") return undefined;
      const secret = modules.stores.of<Secret>("", "secrets").cached(NAMESPACE, `bootstrap-token-${id}`);
      if (secret === undefined || secret.type !== SECRET_TYPE || secret.metadata?.deletionTimestamp) return undefined;
      const field = (name: string): string => Buffer.from(secret.data?.[name] ?? "", "base64").toString("utf8");
      if (!isEqual(field("token-secret"), secretPart) || field("token-id") !== id) return undefined;
      if (field("usage-bootstrap-authentication") !== "true") return undefined;
      const expiration = field("expiration");
      if (expiration !== "" && (parseTime(expiration) ?? 0) <= modules.clock.now()) return undefined;
      const more = field("auth-extra-groups")
        .split(",")
        .filter((group) => group !== "");
      if (!more.every((group) => GROUP.test(group))) return undefined;
      const groups = [DEFAULT_GROUP, ...new Set(more)].sort();
      return { user: { name: `system:bootstrap:${id}`, uid: "", groups, extra: {} } };
    },
  };
}

/** In a time that does not tell how much of a guess was right. */
function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
