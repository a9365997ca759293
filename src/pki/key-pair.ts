import { createPrivateKey, createPublicKey, webcrypto } from "node:crypto";

/** A certificate and its private key, as PEM texts. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** A key pair for signing tokens, as PEM texts. */
export interface SigningKeyPair {
  /** PKCS #8. */
  readonly privateKey: string;
  /** SubjectPublicKeyInfo. */
  readonly publicKey: string;
}

/** ECDSA on P-256: 5 ms a certificate, and accepted by every Kubernetes client. */
export const EC_ALGORITHM: webcrypto.EcKeyGenParams & { hash: string } = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** Makes a P-256 key pair that can be exported. */
export function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(EC_ALGORITHM, true, ["sign", "verify"]);
}

/** A private key as a PKCS #8 PEM text. */
export async function exportPrivateKey(key: webcrypto.CryptoKey): Promise<string> {
  return pem("PRIVATE KEY", await webcrypto.subtle.exportKey("pkcs8", key));
}

/** Reads an EC private key in any PEM form that OpenSSL knows. */
export async function importPrivateKey(text: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(text).export({ format: "der", type: "pkcs8" });
  return await webcrypto.subtle.importKey("pkcs8", new Uint8Array(der), EC_ALGORITHM, true, ["sign"]);
}

/** The public half of a PEM private key. */
export function publicKeyOf(privateKey: string): string {
  return createPublicKey(privateKey).export({ format: "pem", type: "spki" }).toString();
}

/** Makes the key pair that service-account tokens are signed with. */
export async function generateSigningKeys(): Promise<SigningKeyPair> {
  const privateKey = await exportPrivateKey((await generateKeys()).privateKey);
  return { privateKey, publicKey: publicKeyOf(privateKey) };
}

/** Wraps DER bytes in PEM armour. */
export function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
