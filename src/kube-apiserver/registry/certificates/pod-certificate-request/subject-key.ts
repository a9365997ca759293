import { constants, createPublicKey, type KeyObject, verify } from "node:crypto";
import type { PodCertificateRequestSpec } from "#api/generated/certificates/v1beta1.ts";
import { type FieldError, invalid, tooLong } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { parseCertificateRequest } from "#component-helpers/certificates/certificate-request.ts";

/** Longest key, proof or request, in bytes. */
const BYTES_MAX = 10 * 1024;
const CURVES: ReadonlySet<unknown> = new Set(["prime256v1", "secp384r1", "secp521r1"]);
const RSA_BITS: ReadonlySet<unknown> = new Set([3072, 4096]);
const spec = FieldPath.of("spec");

/**
 * Whether who asks holds the key that is to be certified: by a PKCS#10 request that it signed or, as in former releases, by
 * the key and a signature on the pod's UID.
 */
export function keyErrors(asked: PodCertificateRequestSpec): FieldError[] {
  const { stubPKCS10Request = "", pkixPublicKey = "", proofOfPossession = "" } = asked;
  const given = { stubPKCS10Request, pkixPublicKey, proofOfPossession };
  for (const [name, value] of Object.entries(given)) {
    if (Buffer.byteLength(value, "base64") > BYTES_MAX) return [tooLong(spec.child(name), BYTES_MAX)];
  }
  const isStub = stubPKCS10Request !== "" && pkixPublicKey === "" && proofOfPossession === "";
  const isPair = stubPKCS10Request === "" && pkixPublicKey !== "" && proofOfPossession !== "";
  if (isStub) return stubErrors(stubPKCS10Request);
  if (isPair) return pairErrors(pkixPublicKey, proofOfPossession, asked.podUID);
  const detail = "exactly one of (stubPKCS10Request) or (pkixPublicKey, proofOfPossession) must be set";
  return [invalid(spec, "<value omitted>", detail)];
}

/** The key that a request asks a certificate for; undefined when it cannot be read. */
export function subjectKey({ stubPKCS10Request = "", pkixPublicKey = "" }: PodCertificateRequestSpec): KeyObject | undefined {
  if (stubPKCS10Request === "") return keyOf(Buffer.from(pkixPublicKey, "base64"));
  const request = requestOf(stubPKCS10Request);
  return request && keyOf(request.publicKey);
}

function stubErrors(text: string): FieldError[] {
  const path = spec.child("stubPKCS10Request");
  const request = requestOf(text);
  const key = request && keyOf(request.publicKey);
  if (request === undefined || key === undefined)
    return [invalid(path, text, "must be a valid PKCS#10 certificate signing request")];
  const problem = keyProblem(path, text, key);
  if (problem !== undefined) return [problem];
  return request.verifySignature() ? [] : [invalid(path, text, "could not verify the signature of the request")];
}

function pairErrors(keyText: string, proof: string, podUid: string): FieldError[] {
  const path = spec.child("pkixPublicKey");
  const key = keyOf(Buffer.from(keyText, "base64"));
  if (key === undefined) return [invalid(path, keyText, "must be a valid PKIX-serialized public key")];
  const problem = keyProblem(path, keyText, key);
  if (problem !== undefined) return [problem];
  if (isProof(key, Buffer.from(podUid ?? ""), Buffer.from(proof, "base64"))) return [];
  return [invalid(spec.child("proofOfPossession"), "<value omitted>", "could not verify proof-of-possession signature")];
}

function requestOf(base64: string): ReturnType<typeof parseCertificateRequest> {
  return parseCertificateRequest(`-----BEGIN CERTIFICATE REQUEST-----\n${base64}\n-----END CERTIFICATE REQUEST-----\n`);
}

function keyOf(der: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(der), format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

function keyProblem(path: FieldPath, text: string, key: KeyObject): FieldError | undefined {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case "ed25519":
      return undefined;
    case "ec":
      return CURVES.has(namedCurve)
        ? undefined
        : invalid(path, `curve ${namedCurve}`, "elliptic public keys must use curve P256 or P384");
    case "rsa":
      return RSA_BITS.has(modulusLength)
        ? undefined
        : invalid(path, `${modulusLength}-bit modulus`, "RSA keys must have modulus size 3072 or 4096");
    default:
      return invalid(path, text, "unknown public key type; supported types are Ed25519, ECDSA, and RSA");
  }
}

function isProof(key: KeyObject, content: Buffer, signature: Buffer): boolean {
  try {
    if (key.asymmetricKeyType === "ed25519") return verify(null, content, key, signature);
    if (key.asymmetricKeyType === "ec") return verify("sha256", content, key, signature);
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    return verify("sha256", content, { key, padding, saltLength: constants.RSA_PSS_SALTLEN_AUTO }, signature);
  } catch {
    return false;
  }
}
