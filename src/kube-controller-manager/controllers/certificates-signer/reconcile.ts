import type { CertificateSigningRequest } from "#api/generated/certificates/v1.ts";
import { type CertificateRequest, parseCertificateRequest } from "#component-helpers/certificates/certificate-request.ts";
import { SIGNERS } from "./signers.ts";

/** What the decision depends on. */
export interface Observed {
  readonly csr: CertificateSigningRequest;
  readonly nowMs: number;
  /** The longest life of a certificate. */
  readonly durationMs: number;
}

export type Action =
  | { readonly type: "fail"; readonly csr: CertificateSigningRequest; readonly message: string }
  | {
      readonly type: "sign";
      readonly csr: CertificateSigningRequest;
      readonly request: CertificateRequest;
      readonly notBefore: number;
      readonly notAfter: number;
    };

/** Who asks for less than this gets this. */
const DURATION_MIN_MS: number = 10 * 60 * 1000;
/** A certificate is valid from a little before it is made, so that clocks may differ. */
const BACKDATE_MS: number = 5 * 60 * 1000;
/** From this life on the time before it was made counts as part of it. */
const SHORT_MS: number = 8 * 60 * 60 * 1000;

/** An approved request for one of the built-in signers is signed, or told why it is not. Upstream's `signer.handle`. */
export function reconcile({ csr, nowMs, durationMs }: Observed): readonly Action[] {
  const has = (type: string): boolean =>
    (csr.status?.conditions ?? []).some((condition) => condition.type === type && condition.status === "True");
  const check = SIGNERS.get(csr.spec.signerName);
  if (check === undefined || csr.status?.certificate || !has("Approved") || has("Denied") || has("Failed")) return [];
  const request = parseCertificateRequest(Buffer.from(csr.spec.request, "base64").toString("latin1"));
  // Nothing will ever make it readable: upstream tries again for ever.
  if (request === undefined) return [];
  const message = check(request, csr.spec.usages ?? []);
  if (message !== undefined) return [{ type: "fail", csr, message }];
  if (!request.verifySignature()) return [];
  const asked = csr.spec.expirationSeconds === undefined ? durationMs : csr.spec.expirationSeconds * 1000;
  const lifeMs = Math.min(durationMs, Math.max(DURATION_MIN_MS, asked));
  const notBefore = nowMs - BACKDATE_MS;
  return [{ type: "sign", csr, request, notBefore, notAfter: lifeMs < SHORT_MS ? nowMs + lifeMs : notBefore + lifeMs }];
}
