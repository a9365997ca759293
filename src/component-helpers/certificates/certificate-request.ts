import { constants, createPublicKey, verify } from "node:crypto";
import { type DerElement, derElements, derText, derWithin } from "./der-reader.ts";

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
/** `[0]`, constructed: the attributes of a request. */
const ATTRIBUTES = 0xa0;

/** Object identifiers, as the hexadecimal digits of their bytes. */
const COMMON_NAME = "550403";
const ORGANIZATION = "55040a";
const EXTENSION_REQUEST = "2a864886f70d01090e";
const SUBJECT_ALT_NAME = "551d11";
const RSA_PSS = "2a864886f70d01010a";
/** The digests that Go knows for it; which one, its parameters say. */
const PSS_DIGESTS = ["sha256", "sha384", "sha512"];
const DIGESTS: Readonly<Record<string, string | null>> = {
  // Go refuses SHA-1 in certificates, but not in requests.
  "2a864886f70d010105": "sha1",
  "2a8648ce3d0401": "sha1",
  "2a864886f70d01010b": "sha256",
  "2a864886f70d01010c": "sha384",
  "2a864886f70d01010d": "sha512",
  "2a8648ce3d040302": "sha256",
  "2a8648ce3d040303": "sha384",
  "2a8648ce3d040304": "sha512",
  // Ed25519 has its digest built in.
  "2b6570": null,
};
/** Kinds of GeneralName (RFC 5280 §4.2.1.6). */
const NAME_KINDS: Readonly<Record<number, "emails" | "dnsNames" | "uris" | "ipAddresses">> = {
  129: "emails",
  130: "dnsNames",
  134: "uris",
  135: "ipAddresses",
};

/** What a PKCS#10 request asks to be certified (RFC 2986). */
export interface CertificateRequest {
  readonly commonName: string;
  /** In Kubernetes the groups of a user. */
  readonly organizations: readonly string[];
  /** How many names of each kind the request lists beside its subject. */
  readonly alternatives: Readonly<Record<"emails" | "dnsNames" | "uris" | "ipAddresses", number>>;
  /** DER of the subject, as it was sent. */
  readonly subject: Uint8Array;
  /** DER of the public key's SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  /** DER of the GeneralNames; undefined without any. */
  readonly subjectAltName: Uint8Array | undefined;
  /** Whether who asks holds the key. */
  verifySignature(): boolean;
}

/** Reads the first CERTIFICATE REQUEST block of a PEM text; undefined when there is none or it cannot be read. */
export function parseCertificateRequest(pem: string): CertificateRequest | undefined {
  const begin = "-----BEGIN CERTIFICATE REQUEST-----";
  const start = pem.indexOf(begin);
  const end = start < 0 ? -1 : pem.indexOf("-----END CERTIFICATE REQUEST-----", start);
  if (end < 0) return undefined;
  const [request] = derElements(Buffer.from(pem.slice(start + begin.length, end), "base64")) ?? [];
  const [info, algorithm, signature] = derWithin(request, SEQUENCE) ?? [];
  const [version, subject, publicKey, attributes] = derWithin(info, SEQUENCE) ?? [];
  if (info === undefined || version?.tag !== INTEGER || subject === undefined || publicKey?.tag !== SEQUENCE) return undefined;
  const names = subjectNames(subject);
  if (names === undefined) return undefined;
  const subjectAltName = requestedAltName(attributes);
  const alternatives = { emails: 0, dnsNames: 0, uris: 0, ipAddresses: 0 };
  const [list] = subjectAltName === undefined ? [] : (derElements(subjectAltName) ?? []);
  for (const { tag } of derWithin(list, SEQUENCE) ?? []) {
    const kind = NAME_KINDS[tag];
    if (kind !== undefined) alternatives[kind]++;
  }
  return {
    commonName: names.filter(([type]) => type === COMMON_NAME).at(-1)?.[1] ?? "",
    organizations: names.filter(([type]) => type === ORGANIZATION).map(([, value]) => value),
    alternatives,
    subject: subject.raw,
    publicKey: publicKey.raw,
    subjectAltName,
    verifySignature: () => isSignedBy(publicKey.raw, info.raw, algorithm, signature),
  };
}

function subjectNames(subject: DerElement): readonly (readonly [string, string])[] | undefined {
  const sets = derWithin(subject, SEQUENCE);
  if (sets === undefined) return undefined;
  const names: (readonly [string, string])[] = [];
  for (const attribute of sets.flatMap((set) => derWithin(set, SET) ?? [])) {
    const [type, value] = derWithin(attribute, SEQUENCE) ?? [];
    const text = value && derText(value);
    if (type?.tag !== OBJECT_IDENTIFIER || text === undefined) return undefined;
    names.push([hex(type), text]);
  }
  return names;
}

/** The value of the extension `subjectAltName` among the extensions that a request asks for. */
function requestedAltName(attributes: DerElement | undefined): Uint8Array | undefined {
  for (const attribute of derWithin(attributes, ATTRIBUTES) ?? []) {
    const [type, values] = derWithin(attribute, SEQUENCE) ?? [];
    if (type === undefined || hex(type) !== EXTENSION_REQUEST) continue;
    const [extensions] = derWithin(values, SET) ?? [];
    for (const extension of derWithin(extensions, SEQUENCE) ?? []) {
      const parts = derWithin(extension, SEQUENCE) ?? [];
      const value = parts.at(-1);
      if (parts[0] !== undefined && hex(parts[0]) === SUBJECT_ALT_NAME && value?.tag === OCTET_STRING) return value.content;
    }
  }
  return undefined;
}

function isSignedBy(
  publicKey: Uint8Array,
  signed: Uint8Array,
  algorithm: DerElement | undefined,
  signature: DerElement | undefined,
): boolean {
  const [type] = derWithin(algorithm, SEQUENCE) ?? [];
  if (type === undefined || signature?.tag !== BIT_STRING) return false;
  const [digest, bytes] = [DIGESTS[hex(type)], signature.content.subarray(1)];
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey), format: "der", type: "spki" });
    if (hex(type) === RSA_PSS) {
      return PSS_DIGESTS.some((one) => verify(one, signed, { key, padding: constants.RSA_PKCS1_PSS_PADDING }, bytes));
    }
    return digest !== undefined && verify(digest, signed, key, bytes);
  } catch {
    return false;
  }
}

function hex({ content }: DerElement): string {
  return Buffer.from(content).toString("hex");
}
