import { parseCertificateRequest } from "#component-helpers/certificates/certificate-request.ts";

/**
 * The organizations that a PKCS#10 request asks to be certified for: in Kubernetes the groups of a user (RFC 2986).
 * `pem` holds the request; undefined when it cannot be read.
 */
export function requestedOrganizations(pem: string): readonly string[] | undefined {
  return parseCertificateRequest(pem)?.organizations;
}
