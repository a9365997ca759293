import { type PeerAuthorities, peerIdentifier } from "#apiserver/authentication/peer-identity.ts";
import type { SecureListener } from "#apiserver/server/secure-listener.ts";
import type { CertificatePair } from "#pki/key-pair.ts";

/** What the server shows of itself, and whom it knows by theirs. */
export function connectionCertificates(
  { cert, key }: CertificatePair,
  authorities: PeerAuthorities,
): Parameters<SecureListener["useCertificates"]>[0] {
  return { cert, key, clientCa: [...authorities.clients, ...authorities.proxies], identify: peerIdentifier(authorities) };
}
