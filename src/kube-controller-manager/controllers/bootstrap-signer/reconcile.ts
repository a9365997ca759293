import { createHmac } from "node:crypto";
import type { ConfigMap, Secret } from "#api/generated/core/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { BOOTSTRAP_TOKEN_TYPE } from "../token-cleaner/reconcile.ts";

const NAME_PREFIX = "bootstrap-token-";
const SIGNATURE_PREFIX = "jws-kubeconfig-";

/** What the decision depends on. */
export interface Observed {
  /** `kube-public/cluster-info`. */
  readonly configMap: ConfigMap;
  /** The bootstrap tokens. */
  readonly secrets: readonly Secret[];
  readonly nowMs: number;
}

export interface Action {
  readonly type: "update";
  readonly configMap: ConfigMap;
}

/**
 * The kubeconfig that nodes begin with carries one signature for each token that may sign: who knows a token can tell that
 * nobody changed it on the way. Upstream's `bootstrap.Signer`.
 */
export function reconcile({ configMap, secrets, nowMs }: Observed): readonly Action[] {
  const data = configMap.data ?? {};
  const { kubeconfig } = data;
  if (kubeconfig === undefined) return [];
  const wanted = Object.fromEntries(Object.entries(data).filter(([key]) => !key.startsWith(SIGNATURE_PREFIX)));
  for (const secret of secrets) {
    const token = signingToken(secret, nowMs);
    if (token !== undefined) wanted[SIGNATURE_PREFIX + token.id] = detachedSignature(kubeconfig, token.id, token.secret);
  }
  const keys = Object.keys(wanted);
  const isRight = keys.length === Object.keys(data).length && keys.every((key) => data[key] === wanted[key]);
  return isRight ? [] : [{ type: "update", configMap: { ...configMap, data: wanted } }];
}

function signingToken(secret: Secret, nowMs: number): { readonly id: string; readonly secret: string } | undefined {
  const field = (name: string): string => Buffer.from(secret.data?.[name] ?? "", "base64").toString("utf8");
  const id = field("token-id");
  const value = field("token-secret");
  const expiration = field("expiration");
  const isOver = expiration !== "" && (parseTime(expiration) ?? 0) <= nowMs;
  const mayNotSign =
    secret.type !== BOOTSTRAP_TOKEN_TYPE ||
    id === "" ||
    value === "" ||
    secret.metadata.name !== NAME_PREFIX + id ||
    field("usage-bootstrap-signing") !== "true" ||
    Boolean(secret.metadata.deletionTimestamp) ||
    isOver;
  return mayNotSign ? undefined : { id, secret: value };
}

/** A compact JWS (HS256) without its payload, which stands beside it (RFC 7515 appendix F). */
function detachedSignature(content: string, keyId: string, key: string): string {
  const header = Buffer.from(JSON.stringify({ alg: "HS256", kid: keyId })).toString("base64url");
  const payload = Buffer.from(content).toString("base64url");
  return `${header}..${createHmac("sha256", key).update(`${header}.${payload}`).digest("base64url")}`;
}
