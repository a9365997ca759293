import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { isIP, isIPv4 } from "node:net";
import { derBits, derExplicit, derImplicit, derInteger, derOctets, derOid, derSequence, derSet, derUtf8 } from "./der.ts";

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
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
};
/** Kinds of GeneralName (RFC 5280 §4.2.1.6). */
const DNS_NAME = 2;
const IP_ADDRESS = 7;
const IPV6_GROUPS = 8;

/** A PKCS#10 request for a certificate, signed with the key (RFC 2986), as PEM. The key is a PEM of an elliptic curve. */
export function certificateRequest(key: string, { commonName, organizations = [], hosts = [] }: RequestedSubject): string {
  const privateKey = createPrivateKey(key);
  const part = (oid: string, text: string): Buffer => derSet(derSequence(derOid(oid), derUtf8(text)));
  const subject = derSequence(...organizations.map((name) => part(OID.organization, name)), part(OID.commonName, commonName));
  const names = hosts.map((host) =>
    isIP(host) === 0 ? derImplicit(DNS_NAME, Buffer.from(host)) : derImplicit(IP_ADDRESS, addressBytes(host)),
  );
  const altName = derSequence(derOid(OID.subjectAltName), derOctets(derSequence(...names)));
  const extensions = derSequence(derOid(OID.extensionRequest), derSet(derSequence(altName)));
  const attributes = derExplicit(0, hosts.length === 0 ? Buffer.alloc(0) : extensions);
  const publicKey = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const info = derSequence(derInteger(Buffer.from([0])), subject, publicKey, attributes);
  const signature = derBits(sign("sha256", info, privateKey));
  const request = derSequence(info, derSequence(derOid(OID.ecdsaWithSha256)), signature);
  const lines = request.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join("\n")}\n-----END CERTIFICATE REQUEST-----\n`;
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
