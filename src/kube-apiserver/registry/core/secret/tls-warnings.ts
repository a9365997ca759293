import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Secret } from "#api/generated/core/v1.ts";

/** What Go's `tls.X509KeyPair` would complain of; such a Secret is stored all the same. */
export function tlsWarnings(secret: Secret): string[] {
  if (secret.type !== "kubernetes.io/tls") return [];
  const certificate = Buffer.from(secret.data?.["tls.crt"] ?? "", "base64").toString();
  const key = Buffer.from(secret.data?.["tls.key"] ?? "", "base64").toString();
  if (!isPem(certificate)) return ["tls: failed to find any PEM data in certificate input"];
  if (!isPem(key)) return ["tls: failed to find any PEM data in key input"];
  try {
    const matches = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
    return matches ? [] : ["tls: private key does not match public key"];
  } catch (error) {
    return [`tls: failed to parse certificate or key: ${error instanceof Error ? error.message : String(error)}`];
  }
}

function isPem(text: string): boolean {
  const begin = text.search(/-----BEGIN [A-Z0-9 ]+-----/);
  return begin >= 0 && /-----END [A-Z0-9 ]+-----/.test(text.slice(begin));
}
