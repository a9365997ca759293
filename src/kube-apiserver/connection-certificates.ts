import { type PeerAuthorities, peerIdentifier } from "#apiserver/authentication/peer-identity.ts";
import type { NamedCertificate } from "#apiserver/server/named-certificates.ts";
import type { SecureListener } from "#apiserver/server/secure-listener.ts";
import type { CertificatePair } from "#pki/key-pair.ts";

/** What the server shows of itself, and whom it knows by theirs. */
export function connectionCertificates(
  { cert, key }: CertificatePair,
  authorities: PeerAuthorities,
  named: readonly NamedCertificate[] = [],
): Parameters<SecureListener["useCertificates"]>[0] {
  return { cert, key, named, clientCa: [...authorities.clients, ...authorities.proxies], identify: peerIdentifier(authorities) };
}
