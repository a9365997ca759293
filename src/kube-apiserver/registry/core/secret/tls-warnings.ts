import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { Secret } from "#api/generated/core/v1.ts";
import { type PemBlock, pemBlocks } from "./pem.ts";

const KEY_TYPES = ["rsa", "ec", "ed25519"];

/** What Go's `tls.X509KeyPair` would complain of; such a Secret is stored all the same. */
export function tlsWarnings(secret: Secret): string[] {
  if (secret.type !== "kubernetes.io/tls") return [];
  const blocksOf = (field: string): PemBlock[] => pemBlocks(Buffer.from(secret.data?.[field] ?? "", "base64").toString("latin1"));
  const message = pairError(blocksOf("tls.crt"), blocksOf("tls.key"));
  return message === undefined ? [] : [`${message.startsWith("x509: ") ? "" : "tls: "}${message}`];
}

function pairError(certificates: readonly PemBlock[], keys: readonly PemBlock[]): string | undefined {
  const certificate = certificates.find(({ type }) => type === "CERTIFICATE");
  if (!certificate) return withoutCertificate(certificates.map(({ type }) => type));
  const at = keys.findIndex(({ type }) => isKey(type));
  const key = keys[at];
  if (!key) return withoutKey(keys.map(({ type }) => type));
  const parsed = parseCertificate(certificate.bytes);
  if (!parsed) return "x509: malformed certificate";
  const kind = parsed.publicKey.asymmetricKeyType ?? "";
  if (!KEY_TYPES.includes(kind)) return "unknown public key algorithm";
  const privateKey = parsePrivateKey(key.bytes);
  if (!privateKey) return "failed to parse private key";
  if (privateKey.asymmetricKeyType !== kind) return "private key type does not match public key type";
  return parsed.checkPrivateKey(privateKey) ? undefined : "private key does not match public key";
}

function isKey(type: string): boolean {
  return type === "PRIVATE KEY" || type.endsWith(" PRIVATE KEY");
}

function withoutCertificate(skipped: readonly string[]): string {
  const [first] = skipped;
  if (first === undefined) return "failed to find any PEM data in certificate input";
  if (skipped.length === 1 && first.endsWith("PRIVATE KEY")) {
    return "failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched";
  }
  return `failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [${skipped.join(" ")}]`;
}

function withoutKey(skipped: readonly string[]): string {
  const [first] = skipped;
  if (first === undefined) return "failed to find any PEM data in key input";
  if (skipped.length === 1 && first === "CERTIFICATE")
    return "found a certificate rather than a key in the PEM for the private key";
  return `failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: [${skipped.join(" ")}]`;
}

function parseCertificate(bytes: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(bytes);
  } catch {
    return undefined;
  }
}

/** Whatever the block's name says, Go tries all three forms. */
function parsePrivateKey(key: Buffer): KeyObject | undefined {
  for (const type of ["pkcs1", "pkcs8", "sec1"] as const) {
    try {
      const parsed = createPrivateKey({ key, format: "der", type });
      if (KEY_TYPES.includes(parsed.asymmetricKeyType ?? "")) return parsed;
    } catch {
      // The next form, then.
    }
  }
  return undefined;
}
