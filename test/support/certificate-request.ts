import { generateKeyPairSync, sign } from "node:crypto";
import { isIPv4 } from "node:net";
import { derBits, derExplicit, derImplicit, derInteger, derOctets, derOid, derSequence, derSet, derUtf8 } from "#pki/der.ts";

/** Whom a certificate is to name. */
export interface RequestedSubject {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  /** DNS names and IPv4 addresses. */
  readonly hosts?: readonly string[];
}

/** A new key, and a request for a certificate of it, as a kubelet makes them. */
export interface KeyAndRequest {
  /** PEM. */
  readonly key: string;
  /** PEM in base64, as `spec.request` of a CertificateSigningRequest has it. */
  readonly request: string;
}

/** Makes a key on P-256 and a PKCS#10 request signed with it (RFC 2986). */
export function certificateRequest({ commonName, organizations = [], hosts = [] }: RequestedSubject): KeyAndRequest {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const part = (oid: string, text: string): Buffer => derSet(derSequence(derOid(oid), derUtf8(text)));
  const subject = derSequence(...organizations.map((name) => part("2.5.4.10", name)), part("2.5.4.3", commonName));
  const names = hosts.map((host) =>
    isIPv4(host) ? derImplicit(7, Buffer.from(host.split(".").map(Number))) : derImplicit(2, Buffer.from(host)),
  );
  const altName = derSequence(derOid("2.5.29.17"), derOctets(derSequence(...names)));
  const extensions = derSequence(derOid("1.2.840.113549.1.9.14"), derSet(derSequence(altName)));
  const attributes = derExplicit(0, hosts.length === 0 ? Buffer.alloc(0) : extensions);
  const info = derSequence(derInteger(Buffer.from([0])), subject, publicKey.export({ type: "spki", format: "der" }), attributes);
  const request = derSequence(info, derSequence(derOid("1.2.840.10045.4.3.2")), derBits(sign("sha256", info, privateKey)));
  const lines = request.toString("base64").replaceAll(/.{64}/g, "$&\n");
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${lines}\n-----END CERTIFICATE REQUEST-----\n`;
  return { key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(), request: Buffer.from(pem).toString("base64") };
}
