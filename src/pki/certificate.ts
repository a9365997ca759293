import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import { isIPv4 } from "node:net";
import { addressBytes } from "./certificate-request.ts";
import {
  DER_NULL,
  DER_TRUE,
  derBits,
  derExplicit,
  derImplicit,
  derInteger,
  derOctets,
  derOid,
  derSequence,
  derSet,
  derTime,
  derUtf8,
} from "./der.ts";
import { type CertificatePair, generateKey, type KeyAlgorithm } from "./key-pair.ts";
import { extendedUsages, keyUsageBits } from "./key-usages.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** As kubeadm: ten years for a CA, one year for what it signs. */
const CA_LIFETIME_MS = 3650 * DAY_MS;
const LEAF_LIFETIME_MS = 365 * DAY_MS;
/** A certificate is valid from a little before it is made, so that clocks may differ. */
const BACKDATE_MS = 5 * 60 * 1000;

/** What a certificate says of its holder: user and groups for a client, names and addresses for a server. */
export interface LeafRequest {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly usages: readonly ("server" | "client")[];
  /** DNS names and IP addresses. */
  readonly hosts?: readonly string[];
  /** Default one year. */
  readonly lifetimeMs?: number;
}

const OID = {
  commonName: derOid("2.5.4.3"),
  organization: derOid("2.5.4.10"),
  ecdsaWithSha256: derOid("1.2.840.10045.4.3.2"),
  rsaWithSha256: derOid("1.2.840.113549.1.1.11"),
  subjectKeyIdentifier: derOid("2.5.29.14"),
  keyUsage: derOid("2.5.29.15"),
  subjectAltName: derOid("2.5.29.17"),
  basicConstraints: derOid("2.5.29.19"),
  authorityKeyIdentifier: derOid("2.5.29.35"),
  extendedKeyUsage: derOid("2.5.29.37"),
  server: derOid("1.3.6.1.5.5.7.3.1"),
  client: derOid("1.3.6.1.5.5.7.3.2"),
};

/** Digital signature and key encipherment; for authorities also certificate signing (RFC 5280 §4.2.1.3). */
const LEAF_KEY_USAGE = derBits(Buffer.from([0b1010_0000]), 5);
const CA_KEY_USAGE = derBits(Buffer.from([0b1010_0100]), 2);

/** A self-signed certificate authority. `now` is milliseconds since the Unix epoch. */
export function createAuthority(commonName: string, now: number, algorithm?: KeyAlgorithm): CertificatePair {
  const key = generateKey(algorithm);
  const signer = createPrivateKey(key);
  const publicKey = publicKeyBytes(signer);
  const name = encodeName(commonName, []);
  const extensions = [
    extension(OID.keyUsage, CA_KEY_USAGE, true),
    extension(OID.basicConstraints, derSequence(DER_TRUE), true),
    extension(OID.subjectKeyIdentifier, derOctets(keyIdentifier(publicKey))),
  ];
  const [notBefore, notAfter] = [now - BACKDATE_MS, now + CA_LIFETIME_MS];
  return { key, cert: encodeCertificate({ name, issuer: name, notBefore, notAfter, publicKey, extensions, signer }) };
}

/** A certificate for a new key, signed by the authority. */
export function issueCertificate(
  authority: CertificatePair,
  request: LeafRequest,
  now: number,
  algorithm?: KeyAlgorithm,
): CertificatePair {
  const key = generateKey(algorithm);
  return { key, cert: signCertificate(authority, publicKeyBytes(createPrivateKey(key)), request, now) };
}

/** A certificate for the given public key (DER SubjectPublicKeyInfo), signed by the authority. */
export function signCertificate(authority: CertificatePair, publicKey: Uint8Array, request: LeafRequest, now: number): string {
  const signer = createPrivateKey(authority.key);
  const hosts = request.hosts ?? [];
  const extensions = [
    extension(OID.keyUsage, LEAF_KEY_USAGE, true),
    extension(OID.extendedKeyUsage, derSequence(...request.usages.map((usage) => OID[usage]))),
    extension(OID.basicConstraints, derSequence(), true),
    ...authorityKeyIdentifier(authority.cert),
  ];
  if (hosts.length > 0) extensions.push(extension(OID.subjectAltName, derSequence(...hosts.map(encodeHost))));
  const name = encodeName(request.commonName, request.organizations ?? []);
  const [notBefore, notAfter] = [now - BACKDATE_MS, now + (request.lifetimeMs ?? LEAF_LIFETIME_MS)];
  return encodeCertificate({ name, issuer: subjectOf(authority.cert), notBefore, notAfter, publicKey, extensions, signer });
}

/** What a request for a certificate asks for, with what the signer makes of it. */
export interface SigningRequest {
  /** DER of the subject's name. */
  readonly subject: Uint8Array;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  /** DER of the GeneralNames. */
  readonly subjectAltName: Uint8Array | undefined;
  /** Kubernetes' names of key usages: `client auth`. Unknown ones are left out. */
  readonly usages: readonly string[];
  /** Milliseconds since the Unix epoch; the certificate never outlives the authority's. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** A certificate for who holds the requested key, as PEM (upstream's `authority.PermissiveSigningPolicy`). */
export function signCertificateRequest(authority: CertificatePair, request: SigningRequest): string {
  const signer = createPrivateKey(authority.key);
  const { subject, publicKey, subjectAltName, notBefore } = request;
  const bits = keyUsageBits(request.usages);
  const purposes = extendedUsages(request.usages);
  const extensions = [
    ...(bits === undefined ? [] : [extension(OID.keyUsage, bits, true)]),
    ...(purposes.length === 0 ? [] : [extension(OID.extendedKeyUsage, derSequence(...purposes))]),
    extension(OID.basicConstraints, derSequence(), true),
    ...authorityKeyIdentifier(authority.cert),
    // Critical where the subject says nothing (RFC 5280 §4.2.1.6).
    ...(subjectAltName === undefined ? [] : [extension(OID.subjectAltName, subjectAltName, subject.length <= 2)]),
  ];
  const notAfter = Math.min(request.notAfter, Date.parse(new X509Certificate(authority.cert).validTo));
  return encodeCertificate({
    name: subject,
    issuer: subjectOf(authority.cert),
    notBefore,
    notAfter,
    publicKey,
    extensions,
    signer,
  });
}

interface Encoding {
  readonly name: Uint8Array;
  readonly issuer: Uint8Array;
  /** Milliseconds since the Unix epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly publicKey: Uint8Array;
  readonly extensions: readonly Uint8Array[];
  readonly signer: KeyObject;
}

/** Signs and encodes a certificate (RFC 5280 §4.1). */
function encodeCertificate(from: Encoding): string {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const isRsa = from.signer.asymmetricKeyType === "rsa";
  const algorithm = isRsa ? derSequence(OID.rsaWithSha256, DER_NULL) : derSequence(OID.ecdsaWithSha256);
  const body = derSequence(
    derExplicit(0, derInteger(Buffer.from([2]))),
    derInteger(serial),
    algorithm,
    from.issuer,
    derSequence(derTime(from.notBefore), derTime(from.notAfter)),
    from.name,
    from.publicKey,
    derExplicit(3, derSequence(...from.extensions)),
  );
  return encodePem("CERTIFICATE", derSequence(body, algorithm, derBits(sign("sha256", body, from.signer))));
}

function encodePem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function extension(id: Uint8Array, value: Uint8Array, critical = false): Buffer {
  return critical ? derSequence(id, DER_TRUE, derOctets(value)) : derSequence(id, derOctets(value));
}

function encodeName(commonName: string, organizations: readonly string[]): Buffer {
  const attribute = (id: Uint8Array, value: string): Buffer => derSet(derSequence(id, derUtf8(value)));
  return derSequence(...organizations.map((value) => attribute(OID.organization, value)), attribute(OID.commonName, commonName));
}

/** The subject exactly as it is encoded, so that authorities made by other tools keep their spelling. */
function subjectOf(cert: string): Buffer {
  const der = new X509Certificate(cert).raw;
  // Certificate > TBSCertificate > [version], serial, algorithm, issuer, validity, subject.
  let at = contentStart(der, contentStart(der, 0));
  if (der[at] === 0xa0) at = elementEnd(der, at);
  for (let skipped = 0; skipped < 4; skipped++) at = elementEnd(der, at);
  return der.subarray(at, elementEnd(der, at));
}

/** Names the authority's key as its own certificate does, which whoever follows the chain compares; nothing where that has no name for it. */
function authorityKeyIdentifier(cert: string): readonly Buffer[] {
  const der = new X509Certificate(cert).raw;
  const body = contentStart(der, 0);
  let at = contentStart(der, body);
  while (at < elementEnd(der, body) && der[at] !== 0xa3) at = elementEnd(der, at);
  if (at >= elementEnd(der, body)) return [];
  const list = contentStart(der, at);
  for (let one = contentStart(der, list); one < elementEnd(der, list); one = elementEnd(der, one)) {
    const id = contentStart(der, one);
    const value = elementEnd(der, id);
    if (!der.subarray(id, value).equals(OID.subjectKeyIdentifier)) continue;
    // The value is an octet string in an octet string, for it is never critical.
    const inner = contentStart(der, value);
    const identifier = der.subarray(contentStart(der, inner), elementEnd(der, inner));
    return [extension(OID.authorityKeyIdentifier, derSequence(derImplicit(0, identifier)))];
  }
  return [];
}

function contentStart(der: Buffer, at: number): number {
  const first = der[at + 1] ?? 0;
  return at + 2 + (first < 0x80 ? 0 : first & 0x7f);
}

function elementEnd(der: Buffer, at: number): number {
  const first = der[at + 1] ?? 0;
  return contentStart(der, at) + (first < 0x80 ? first : der.readUIntBE(at + 2, first & 0x7f));
}

function encodeHost(host: string): Buffer {
  // No name has a colon, and Node's pattern of IPv6 addresses takes as long to compile as a key to make.
  return isIPv4(host) || host.includes(":") ? derImplicit(7, addressBytes(host)) : derImplicit(2, Buffer.from(host));
}

function publicKeyBytes(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: "spki", format: "der" });
}

function keyIdentifier(publicKey: Uint8Array): Buffer {
  return createHash("sha1").update(publicKey).digest();
}
