import { createPublicKey, X509Certificate } from "node:crypto";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import { type CertificateRequest, parseCertificateRequest } from "#component-helpers/certificates/certificate-request.ts";
import { pemBlocks } from "../pem-block.ts";

const SEQUENCE = 16;

/** What is wrong with a request (base64 of PEM); undefined for a PKCS#10 request signed by its own key. Upstream's `validateCSR`. */
export function requestProblem(base64: string | undefined): string | undefined {
  const [block] = pemBlocks(textOf(base64));
  if (block?.type !== "CERTIFICATE REQUEST") return "PEM block type must be CERTIFICATE REQUEST";
  const lines = block.bytes.toString("base64");
  const request = parseCertificateRequest(`-----BEGIN CERTIFICATE REQUEST-----\n${lines}\n-----END CERTIFICATE REQUEST-----\n`);
  if (request === undefined) return derProblem(block.bytes);
  return request.verifySignature() ? undefined : signatureProblem(request);
}

/** What is wrong with an issued certificate (base64 of PEM); undefined for one or more certificates, or nothing. */
export function certificateProblem(base64: string | undefined): string | undefined {
  if (!base64) return undefined;
  const blocks = pemBlocks(textOf(base64));
  for (const { type, hasHeaders, bytes } of blocks) {
    if (type !== "CERTIFICATE") return `only CERTIFICATE PEM blocks are allowed, found ${goQuote(type)}`;
    if (hasHeaders) return "no PEM block headers are permitted";
    if (bytes.length === 0) return "found CERTIFICATE PEM block containing 0 certificates";
    if (!isCertificate(bytes)) return "x509: malformed certificate";
  }
  return blocks.length === 0 ? "must contain at least one CERTIFICATE PEM block" : undefined;
}

function textOf(base64: string | undefined): string {
  return Buffer.from(base64 ?? "", "base64").toString("latin1");
}

function isCertificate(der: Buffer): boolean {
  try {
    new X509Certificate(der);
    return true;
  } catch {
    return false;
  }
}

/** What Go's `encoding/asn1` says of the outermost value; of what lies deeper, only that it is no whole. */
function derProblem(der: Buffer): string {
  const [head, length = 0] = der;
  if (head === undefined) return "asn1: syntax error: sequence truncated";
  if (der.length === 1) return "asn1: syntax error: truncated tag or length";
  const octets = length & 0x7f;
  const isLong = length > 0x7f;
  if (isLong && octets === 0) return "asn1: syntax error: indefinite length found (not DER)";
  if (isLong && der.length < 2 + octets) return "asn1: syntax error: truncated tag or length";
  const size = isLong ? Number.parseInt(der.toString("hex", 2, 2 + octets), 16) : length;
  const isCompound = (head & 0x20) !== 0;
  if (head !== (0x20 | SEQUENCE)) {
    const found = `{class:${head >> 6} tag:${head & 0x1f} length:${size} isCompound:${isCompound}}`;
    const asked =
      "{optional:false explicit:false application:false private:false defaultValue:<nil> tag:<nil> stringType:0 timeType:0 set:false omitEmpty:false}";
    const at = isLong ? 2 + octets : 2;
    return `asn1: structure error: tags don't match (${SEQUENCE} vs ${found}) ${asked} certificateRequest @${at}`;
  }
  return "asn1: syntax error: data truncated";
}

function signatureProblem({ publicKey }: CertificateRequest): string {
  const unknown = "x509: cannot verify signature: algorithm unimplemented";
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey), format: "der", type: "spki" });
    if (key.asymmetricKeyType === "rsa") return "crypto/rsa: verification error";
    if (key.asymmetricKeyType === "ec") return "x509: ECDSA verification failure";
    return key.asymmetricKeyType === "ed25519" ? "x509: Ed25519 verification failure" : unknown;
  } catch {
    return unknown;
  }
}
