import { sign } from "node:crypto";
import type { Secret, ServiceAccount } from "#api/generated/core/v1.ts";
import type { TokenSigningKey } from "../../framework/controller.ts";

const ISSUER = "kubernetes/serviceaccount";
const CLAIM = "kubernetes.io/serviceaccount";

/** A token that lives as long as its Secret and its account. Upstream's `LegacyClaims`. */
export function legacyToken(account: ServiceAccount, secret: Secret, { privateKey, keyId }: TokenSigningKey): string {
  const { namespace = "", name = "", uid = "" } = account.metadata;
  const isEc = privateKey.asymmetricKeyType === "ec";
  const header = { alg: isEc ? "ES256" : "RS256", kid: keyId };
  const claims = {
    iss: ISSUER,
    [`${CLAIM}/namespace`]: namespace,
    [`${CLAIM}/secret.name`]: secret.metadata.name,
    [`${CLAIM}/service-account.name`]: name,
    [`${CLAIM}/service-account.uid`]: uid,
    sub: `system:serviceaccount:${namespace}:${name}`,
  };
  const signed = `${encode(header)}.${encode(claims)}`;
  const key = isEc ? ({ key: privateKey, dsaEncoding: "ieee-p1363" } as const) : privateKey;
  return `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}
