import { generateKeyPair } from "node:crypto";
import { promisify } from "node:util";
import { certificateRequest } from "#pki/certificate-request.ts";

const RSA_BITS: Readonly<Record<string, number>> = { RSA3072: 3072, RSA4096: 4096 };
const CURVES: Readonly<Record<string, string>> = { ECDSAP256: "P-256", ECDSAP384: "P-384", ECDSAP521: "P-521" };
const generate = promisify(generateKeyPair);

/** A new key of a kind that `podCertificate` names, as PEM (PKCS#8). */
export async function generatePodKey(keyType: string): Promise<string> {
  const encoding = { privateKeyEncoding: { type: "pkcs8", format: "pem" } } as const;
  const publicKeyEncoding = { type: "spki", format: "pem" } as const;
  const bits = RSA_BITS[keyType];
  if (bits !== undefined) {
    return (await generate("rsa", { ...encoding, publicKeyEncoding, modulusLength: bits })).privateKey;
  }
  const curve = CURVES[keyType];
  if (curve !== undefined) return (await generate("ec", { ...encoding, publicKeyEncoding, namedCurve: curve })).privateKey;
  if (keyType !== "ED25519") throw new Error(`unknown key type "${keyType}"`);
  return (await generate("ed25519", { ...encoding, publicKeyEncoding })).privateKey;
}

/** A request without a subject that shows who holds the key, in base64: `stubPKCS10Request`. */
export function stubRequest(key: string): string {
  return certificateRequest(key, { commonName: "" }).replace(/-----.*-----|\n/g, "");
}
