import { algorithmOf, type VerificationKey } from "#apiserver/authentication/jws.ts";
import { jsonAnswer } from "#apiserver/non-resource/answers.ts";
import type { NonResourceRoute } from "#apiserver/non-resource/route.ts";

/** Who issues service-account tokens, and what they are known by. */
export interface TokenIssuer {
  readonly issuer: string;
  /** Where the keys are published; this server's own address when absent. */
  readonly jwksUri?: string;
  readonly verificationKeys: () => Promise<readonly VerificationKey[]>;
}

/** `/.well-known/openid-configuration`: where others find the keys of service account tokens (KEP-1393). */
export function openIdConfiguration({ issuer, jwksUri, verificationKeys }: TokenIssuer, ownUri: () => string): NonResourceRoute {
  return async () => {
    const algorithms = new Set((await verificationKeys()).map(({ publicKey }) => algorithmOf(publicKey)));
    return jsonAnswer({
      issuer,
      jwks_uri: jwksUri ?? ownUri(),
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: [...algorithms].sort(),
    });
  };
}

/** `/openid/v1/jwks`: the public keys of service account tokens. */
export function jsonWebKeySet({ verificationKeys }: TokenIssuer): NonResourceRoute {
  return async () => {
    const keys = (await verificationKeys()).map(({ publicKey, keyId }) => ({
      use: "sig",
      alg: algorithmOf(publicKey),
      kid: keyId,
      ...publicKey.export({ format: "jwk" }),
    }));
    return jsonAnswer({ keys }, "application/jwk-set+json");
  };
}
