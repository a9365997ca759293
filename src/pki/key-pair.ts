import { createHash, createPrivateKey, createPublicKey, generateKeyPair, generateKeyPairSync, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

/** A certificate and its private key, as PEM texts. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** The keys that service account tokens are signed and verified with. */
export interface SigningKeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Upstream's `keyIDFromPublicKey`: base64url of the SHA-256 of the public key's DER. */
  readonly keyId: string;
}

/** RSA key size in bits. RSA, because upstream publishes RS256 in its issuer discovery document. */
const RSA_BITS = 2048;

/** A fresh ECDSA P-256 private key as PKCS #8 PEM. */
export function generateEcKey(): string {
  return generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** The keys of a PEM private key. */
export function loadSigningKeys(pem: string): SigningKeyPair {
  const privateKey = createPrivateKey(pem);
  const publicKey = createPublicKey(privateKey);
  const der = publicKey.export({ type: "spki", format: "der" });
  return { privateKey, publicKey, keyId: createHash("sha256").update(der).digest("base64url") };
}

/** A fresh RSA private key as PKCS #8 PEM. Takes a tenth of a second of another thread. */
export async function generateSigningKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: RSA_BITS });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** The public half of a PEM private key, as SubjectPublicKeyInfo PEM. */
export function publicKeyOf(privateKey: string): string {
  return createPublicKey(privateKey).export({ format: "pem", type: "spki" }).toString();
}
