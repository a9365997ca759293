import type { CertificateSigningRequest, CertificateSigningRequestCondition } from "#api/generated/certificates/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { signerNameErrors } from "../../core/pod/validation/signer-name.ts";
import { certificateProblem, requestProblem } from "./pem-validation.ts";

const LEGACY_SIGNER = "kubernetes.io/legacy-unknown";
const EXPIRATION_SECONDS_MIN = 600;
const USAGES = [
  "any",
  "cert sign",
  "client auth",
  "code signing",
  "content commitment",
  "crl sign",
  "data encipherment",
  "decipher only",
  "digital signature",
  "email protection",
  "encipher only",
  "ipsec end system",
  "ipsec tunnel",
  "ipsec user",
  "key agreement",
  "key encipherment",
  "microsoft sgc",
  "netscape sgc",
  "ocsp signing",
  "s/mime",
  "server auth",
  "signing",
  "timestamping",
];
/** Conditions that say once and for all what became of a request. */
const FINAL_CONDITIONS = ["Approved", "Denied", "Failed"];
const STATUSES = ["False", "True", "Unknown"];
const conditionsPath = FieldPath.of("status", "conditions");

/** Upstream's `ValidateCertificateSigningRequestCreate` without the metadata rules. */
export function validateRequest(csr: CertificateSigningRequest): FieldError[] {
  const { request, usages = [], signerName = "", expirationSeconds } = csr.spec ?? {};
  const spec = FieldPath.of("spec");
  const errors: FieldError[] = [];
  const problem = requestProblem(request);
  if (problem !== undefined) errors.push(invalid(spec.child("request"), request, problem));
  if (usages.length === 0) errors.push(required(spec.child("usages"), ""));
  for (const [i, usage] of usages.entries()) {
    if (!USAGES.includes(usage)) errors.push(notSupported(spec.child("usages").index(i), usage, USAGES));
  }
  for (const [i, usage] of usages.entries()) {
    if (usages.indexOf(usage) < i) errors.push(duplicate(spec.child("usages").index(i), usage));
  }
  const signer = spec.child("signerName");
  if (signerName === LEGACY_SIGNER) {
    errors.push(invalid(signer, signerName, "the legacy signerName is not allowed via this API version"));
  } else errors.push(...signerNameErrors(signerName, signer));
  if (expirationSeconds !== undefined && expirationSeconds < EXPIRATION_SECONDS_MIN) {
    const detail = "may not specify a duration less than 600 seconds (10 minutes)";
    errors.push(invalid(spec.child("expirationSeconds"), expirationSeconds, detail));
  }
  return [...errors, ...validateConditions(csr.status?.conditions ?? [])];
}

/** What no writer may do: take back a decision. What the spec had wrong before stays. */
export function validateRequestUpdate(csr: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  const errors = validateConditions(csr.status?.conditions ?? [], old.status?.conditions);
  const [before, after] = [old.status?.certificate, csr.status?.certificate];
  // What was no certificate before may be replaced by what is none.
  const problem = before === after || certificateProblem(before) !== undefined ? undefined : certificateProblem(after);
  if (problem !== undefined) errors.push(invalid(FieldPath.of("status", "certificate"), "<certificate data>", problem));
  for (const type of FINAL_CONDITIONS) {
    if (ofType(csr, type).length >= ofType(old, type).length) continue;
    errors.push(forbidden(conditionsPath, `updates may not remove a condition of type "${type}"`));
  }
  return errors;
}

/** Upstream's `ValidateCertificateSigningRequestStatusUpdate`: signers do not approve, and issue once. */
export function validateRequestStatus(csr: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  const errors = validateRequestUpdate(csr, old);
  for (const type of ["Approved", "Denied"]) {
    const [before, after] = [ofType(old, type), ofType(csr, type)];
    if (after.length > before.length) {
      errors.push(forbidden(conditionsPath, `updates may not add a condition of type "${type}"`));
    } else if (after.length === before.length && !semanticEqual(before, after)) {
      errors.push(forbidden(conditionsPath, `updates may not modify a condition of type "${type}"`));
    }
  }
  const [before = "", after = ""] = [old.status?.certificate, csr.status?.certificate];
  if (before !== "" && after !== before) {
    const detail = "updates may not modify existing certificate content";
    errors.push(forbidden(FieldPath.of("status", "certificate"), detail));
  }
  return errors;
}

function ofType(csr: CertificateSigningRequest, type: string): CertificateSigningRequestCondition[] {
  return (csr.status?.conditions ?? []).filter((condition) => condition.type === type);
}

/** What the conditions had wrong before the update they may have wrong after it. */
function validateConditions(
  conditions: readonly CertificateSigningRequestCondition[],
  old: readonly CertificateSigningRequestCondition[] = [],
): FieldError[] {
  const errors: FieldError[] = [];
  const mayBeEmpty = old.some(({ type }) => !type);
  const mayRepeat = new Set(old.map(({ type }) => type ?? "")).size < old.length;
  const mayContradict = contradicts(old.map(({ type }) => type));
  for (const [i, { type = "", status = "" }] of conditions.entries()) {
    const path = conditionsPath.index(i);
    if (type === "" && !mayBeEmpty) errors.push(required(path.child("type"), ""));
    const allowed = FINAL_CONDITIONS.includes(type) ? ["True"] : STATUSES;
    if (status === "") errors.push(required(path.child("status"), ""));
    else if (!allowed.includes(status)) errors.push(notSupported(path.child("status"), status, allowed));
    const sofar = conditions.slice(0, i).map((other) => other.type ?? "");
    const opposite = type === "Approved" ? "Denied" : type === "Denied" ? "Approved" : undefined;
    if (opposite !== undefined && sofar.includes(opposite) && !mayContradict) {
      errors.push(invalid(conditionsPath, type, "Approved and Denied conditions are mutually exclusive"));
    }
    if (sofar.includes(type) && !mayRepeat) errors.push(duplicate(path.child("type"), type));
  }
  return errors;
}

function contradicts(types: readonly (string | undefined)[]): boolean {
  return types.includes("Approved") && types.includes("Denied");
}
