import { createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import { isIP, isIPv4 } from "node:net";
import {
  DER_NULL,
  derBits,
  derExplicit,
  derImplicit,
  derInteger,
  derOctets,
  derOid,
  derSequence,
  derSet,
  derUtf8,
} from "./der.ts";

/** Whom a certificate is to name. */
export interface RequestedSubject {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  /** DNS names and IP addresses. */
  readonly hosts?: readonly string[];
}

const OID = {
  organization: "2.5.4.10",
  commonName: "2.5.4.3",
  subjectAltName: "2.5.29.17",
  extensionRequest: "1.2.840.113549.1.9.14",
  rsaWithSha256: "1.2.840.113549.1.1.11",
  ed25519: "1.3.101.112",
};
/** How keys of each curve sign. */
const CURVES: Readonly<Record<string, { readonly oid: string; readonly digest: string }>> = {
  prime256v1: { oid: "1.2.840.10045.4.3.2", digest: "sha256" },
  secp384r1: { oid: "1.2.840.10045.4.3.3", digest: "sha384" },
  secp521r1: { oid: "1.2.840.10045.4.3.4", digest: "sha512" },
};
/** Kinds of GeneralName (RFC 5280 §4.2.1.6). */
const DNS_NAME = 2;
const IP_ADDRESS = 7;
const IPV6_GROUPS = 8;

/**
 * A PKCS#10 request for a certificate, signed with the key (RFC 2986), as PEM. The key is a PEM of an elliptic curve, of
 * Ed25519 or of RSA. Without a common name and organizations the subject is empty.
 */
export function certificateRequest(key: string, { commonName, organizations = [], hosts = [] }: RequestedSubject): string {
  const privateKey = createPrivateKey(key);
  const part = (oid: string, text: string): Buffer => derSet(derSequence(derOid(oid), derUtf8(text)));
  const name = commonName === "" ? [] : [part(OID.commonName, commonName)];
  const subject = derSequence(...organizations.map((one) => part(OID.organization, one)), ...name);
  const names = hosts.map((host) =>
    isIP(host) === 0 ? derImplicit(DNS_NAME, Buffer.from(host)) : derImplicit(IP_ADDRESS, addressBytes(host)),
  );
  const altName = derSequence(derOid(OID.subjectAltName), derOctets(derSequence(...names)));
  const extensions = derSequence(derOid(OID.extensionRequest), derSet(derSequence(altName)));
  const attributes = derExplicit(0, hosts.length === 0 ? Buffer.alloc(0) : extensions);
  const publicKey = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const info = derSequence(derInteger(Buffer.from([0])), subject, publicKey, attributes);
  const { algorithm, digest } = signing(privateKey);
  const request = derSequence(info, algorithm, derBits(sign(digest, info, privateKey)));
  const lines = request.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join("\n")}\n-----END CERTIFICATE REQUEST-----\n`;
}

function signing(key: KeyObject): { readonly algorithm: Buffer; readonly digest: string | null } {
  if (key.asymmetricKeyType === "ed25519") return { algorithm: derSequence(derOid(OID.ed25519)), digest: null };
  if (key.asymmetricKeyType === "rsa") return { algorithm: derSequence(derOid(OID.rsaWithSha256), DER_NULL), digest: "sha256" };
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""];
  if (curve === undefined) throw new Error(`a key of type ${key.asymmetricKeyType} cannot sign a request`);
  return { algorithm: derSequence(derOid(curve.oid)), digest: curve.digest };
}

/** The 4 or 16 bytes of an IP address. */
export function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail] = address.split("::");
  const groups = (text: string): number[] => (text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16)));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const missing = Math.max(0, IPV6_GROUPS - before.length - after.length);
  const all = [...before, ...new Array<number>(missing).fill(0), ...after];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}
