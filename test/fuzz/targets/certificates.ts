import { X509Certificate } from "node:crypto";
import type { Secret } from "#api/generated/core/v1.ts";
import { certificateUser } from "#apiserver/authentication/peer-identity.ts";
import { parseCertificateRequest } from "#component-helpers/certificates/certificate-request.ts";
import { derElements } from "#component-helpers/certificates/der-reader.ts";
import { tlsWarnings } from "#kube-apiserver/registry/core/secret/tls-warnings.ts";
import { createAuthority } from "#pki/certificate.ts";
import { derBits, derExplicit, derInteger, derOctets, derOid, derSequence, derSet, derUtf8, derValue } from "#pki/der.ts";
import { check, type FuzzTarget } from "../target.ts";

const name = (oid: string, value: Buffer): Buffer => derSet(derSequence(derOid(oid), value));
const altNames = derSequence(derValue(0x82, Buffer.from("a.b")), derValue(0x87, Buffer.of(1, 2, 3, 4)));
const request = derSequence(
  derSequence(
    derInteger(Buffer.of(0)),
    derSequence(name("2.5.4.10", derUtf8("system:nodes")), name("2.5.4.3", derValue(0x1e, Buffer.from([0, 97, 0, 98])))),
    derSequence(derSequence(derOid("1.2.840.10045.2.1"), derOid("1.2.840.10045.3.1.7")), derBits(Buffer.alloc(65, 4))),
    derExplicit(
      0,
      derSequence(derOid("1.2.840.113549.1.9.14"), derSet(derSequence(derSequence(derOid("2.5.29.17"), derOctets(altNames))))),
    ),
  ),
  derSequence(derOid("1.2.840.10045.4.3.2")),
  derBits(Buffer.alloc(70, 1)),
);

function pem(label: string, der: Uint8Array): string {
  return `-----BEGIN ${label}-----\n${Buffer.from(der).toString("base64")}\n-----END ${label}-----\n`;
}

function readRequest(text: string): void {
  const read = parseCertificateRequest(text);
  if (read === undefined) return;
  read.verifySignature();
  check(derElements(read.subject)?.length === 1, "a subject is one value");
}

function readCertificate(bytes: Buffer): void {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(bytes);
  } catch {
    return;
  }
  const { fingerprint256, subject } = certificate.toLegacyObject();
  certificateUser({ fingerprint256, subject: subject ?? {} });
}

/** Requests and certificates, in DER and as PEM, and the keys of a Secret. */
export const target: FuzzTarget = {
  seeds: [
    request,
    pem("CERTIFICATE REQUEST", request),
    createAuthority("ca", 1_760_000_000_000).cert,
    new X509Certificate(createAuthority("ca", 1_760_000_000_000).cert).raw,
  ],
  run: (bytes) => {
    const text = bytes.toString("latin1");
    readRequest(text);
    readRequest(pem("CERTIFICATE REQUEST", bytes));
    readCertificate(bytes);
    const data = { "tls.crt": bytes.toString("base64"), "tls.key": bytes.toString("base64") };
    tlsWarnings({ apiVersion: "v1", kind: "Secret", metadata: {}, type: "kubernetes.io/tls", data } as unknown as Secret);
  },
};
