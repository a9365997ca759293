import { jsonAnswer } from "#apiserver/non-resource/answers.ts";
import type { NonResourceRoute } from "#apiserver/non-resource/route.ts";
import { SERVICE_ACCOUNT_ISSUER, type TokenKeys } from "./authentication/service-account-tokens.ts";

/** `/.well-known/openid-configuration`: where others find the keys of service account tokens (KEP-1393). */
export function openIdConfiguration(jwksUri: () => string): NonResourceRoute {
  return () =>
    jsonAnswer({
      issuer: SERVICE_ACCOUNT_ISSUER,
      jwks_uri: jwksUri(),
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
    });
}

/** `/openid/v1/jwks`: the public keys of service account tokens. */
export function jsonWebKeySet(keys: () => Promise<TokenKeys>): NonResourceRoute {
  return async () => {
    const { publicKey, keyId } = await keys();
    const key = { use: "sig", alg: "RS256", kid: keyId, ...publicKey.export({ format: "jwk" }) };
    return jsonAnswer({ keys: [key] }, "application/jwk-set+json");
  };
}
