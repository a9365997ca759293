import { type RequestedSubject, certificateRequest as requestOf } from "#pki/certificate-request.ts";
import { generateKey } from "#pki/key-pair.ts";

/** A new key, and a request for a certificate of it, as a kubelet makes them. */
export interface KeyAndRequest {
  /** PEM. */
  readonly key: string;
  /** PEM in base64, as `spec.request` of a CertificateSigningRequest has it. */
  readonly request: string;
}

/** Makes a key on P-256 and a PKCS#10 request signed with it (RFC 2986). */
export function certificateRequest(subject: RequestedSubject): KeyAndRequest {
  const key = generateKey();
  return { key, request: Buffer.from(requestOf(key, subject)).toString("base64") };
}
