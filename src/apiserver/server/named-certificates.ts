import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";

/** A certificate that is shown to those who ask for some names. PEM texts. */
export interface NamedCertificate {
  readonly cert: string;
  readonly key: string;
  /** `name` or `*.name`; those that the certificate is for when empty. */
  readonly names: readonly string[];
}

const DOMAIN = /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/**
 * Finds the context for a name that a client asks for (SNI); undefined where the server's own is to be shown. As upstream's
 * `--tls-sni-cert-key`: names that were given go before those of certificates, the first of several certificates counts,
 * whole names go before patterns. Throws where a certificate and its key do not go together.
 */
export function namedContexts(
  certificates: readonly NamedCertificate[],
  options: SecureContextOptions,
): (serverName: string) => SecureContext | undefined {
  const byName = new Map<string, SecureContext>();
  const made = certificates.map(({ cert, key, names }) => ({
    context: createSecureContext({ ...options, cert, key }),
    given: names,
    own: names.length === 0 ? certificateNames(cert) : [],
  }));
  for (const of of ["given", "own"] as const) {
    for (const each of made) {
      for (const name of each[of]) if (!byName.has(name.toLowerCase())) byName.set(name.toLowerCase(), each.context);
    }
  }
  return (serverName) => {
    const name = serverName.toLowerCase().replace(/\.$/, "");
    return byName.get(name) ?? byName.get(name.replace(/^[^.]*/, "*"));
  };
}

/** The common name where it is a domain's, and the DNS names; no addresses, which nobody may ask for. */
function certificateNames(pem: string): string[] {
  const { subject, subjectAltName = "" } = new X509Certificate(pem);
  const common = /^CN=(.*)$/m.exec(subject)?.[1] ?? "";
  const names = subjectAltName.split(", ").flatMap((each) => (each.startsWith("DNS:") ? [each.slice("DNS:".length)] : []));
  return isIP(common) === 0 && (common === "*" || DOMAIN.test(common)) ? [common, ...names] : names;
}
