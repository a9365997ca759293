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

/** Kinds of keys of certificates, by kubeadm's names of them. */
export const KEY_ALGORITHMS = ["ECDSA-P256", "ECDSA-P384", "RSA-2048", "RSA-3072", "RSA-4096"] as const;

/** One of {@link KEY_ALGORITHMS}. */
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

/** A fresh private key of a certificate as PKCS #8 PEM. ECDSA takes no time, RSA of 4096 bits some seconds. */
export function generateKey(algorithm: KeyAlgorithm = "ECDSA-P256"): string {
  const [, size = ""] = algorithm.split("-");
  const { privateKey } = algorithm.startsWith("RSA")
    ? generateKeyPairSync("rsa", { modulusLength: Number(size) })
    : generateKeyPairSync("ec", { namedCurve: size === "P384" ? "secp384r1" : "prime256v1" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** The kind of a PEM private key; of those that have no name here the usual one. */
export function algorithmOf(pem: string): KeyAlgorithm {
  const { asymmetricKeyType, asymmetricKeyDetails: { modulusLength, namedCurve } = {} } = createPrivateKey(pem);
  const name = asymmetricKeyType === "rsa" ? `RSA-${modulusLength}` : namedCurve === "secp384r1" ? "ECDSA-P384" : "ECDSA-P256";
  return KEY_ALGORITHMS.find((algorithm) => algorithm === name) ?? "ECDSA-P256";
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
