import { X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate } from "node:tls";
import type { UserInfo } from "../request/request-info.ts";
import { authenticated } from "./users.ts";

/** Who is at the other end of a connection, by its certificate. Without a user and no proxy its requests are refused. */
export interface PeerIdentity {
  /** Whom a certificate of one of the client authorities names. */
  readonly user?: UserInfo;
  /** A proxy that may say on whose behalf it asks: it has a certificate of one of the front proxy's authorities. */
  readonly isProxy?: boolean;
}

/** Whose certificates are trusted for what. PEM texts of one or more certificates. */
export interface PeerAuthorities {
  readonly clients: readonly string[];
  readonly proxies: readonly string[];
  /** Common names that a proxy may have; any when empty. Upstream's `--requestheader-allowed-names`. */
  readonly proxyNames: readonly string[];
}

/** The attribute of a subject that holds a user's UID; as upstream's `asn1util.X509UID`. */
const UID_ATTRIBUTE = "1.3.6.1.4.1.57683.2";
/** Certificates that a chain may have; longer ones end in nobody's hands. */
const CHAIN_LENGTH_MAX = 10;
const NOBODY: PeerIdentity = {};

/** Makes the function that says who a connection's certificate is. */
export function peerIdentifier(
  authorities: PeerAuthorities,
): (certificate: DetailedPeerCertificate, isTrusted: boolean) => PeerIdentity {
  const clients = fingerprints(authorities.clients);
  const proxies = fingerprints(authorities.proxies);
  return (certificate, isTrusted) => {
    if (!isTrusted) return NOBODY;
    const chain = chainOf(certificate);
    const user = chain.some((fingerprint) => clients.has(fingerprint)) ? certificateUser(certificate) : undefined;
    const isProxy = chain.some((fingerprint) => proxies.has(fingerprint)) && isNamed(certificate, authorities.proxyNames);
    return { ...(user === undefined ? {} : { user }), ...(isProxy ? { isProxy } : {}) };
  };
}

/** User (CN), groups (O) and UID of a verified client certificate, as upstream's `x509.CommonNameUserConversion`. */
export function certificateUser(certificate: {
  readonly subject: object;
  readonly fingerprint256: string;
}): UserInfo | undefined {
  const subject = certificate.subject as Readonly<Record<string, unknown>>;
  const name = values(subject.CN).at(-1) ?? "";
  const uids = values(subject[UID_ATTRIBUTE]);
  if (name === "" || uids.length > 1 || uids[0] === "") return undefined;
  const fingerprint = certificate.fingerprint256.replaceAll(":", "").toLowerCase();
  const extra = { "authentication.kubernetes.io/credential-id": [`X509SHA256=${fingerprint}`] };
  return authenticated({ name, uid: uids[0] ?? "", groups: values(subject.O), extra });
}

function isNamed({ subject }: DetailedPeerCertificate, names: readonly string[]): boolean {
  return names.length === 0 || names.includes(values(subject.CN).at(-1) ?? "");
}

function values(value: unknown): string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value.map(String) : [String(value)];
}

function chainOf(certificate: DetailedPeerCertificate): string[] {
  const chain: string[] = [];
  let at: DetailedPeerCertificate | undefined = certificate;
  while (at?.fingerprint256 !== undefined && chain.length < CHAIN_LENGTH_MAX && !chain.includes(at.fingerprint256)) {
    chain.push(at.fingerprint256);
    at = at.issuerCertificate;
  }
  return chain;
}

function fingerprints(pems: readonly string[]): ReadonlySet<string> {
  const blocks = pems.flatMap((pem) => pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []);
  return new Set(blocks.map((block) => new X509Certificate(block).fingerprint256));
}
