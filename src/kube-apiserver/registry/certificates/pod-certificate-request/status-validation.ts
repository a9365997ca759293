import { X509Certificate } from "node:crypto";
import type { PodCertificateRequest } from "#api/generated/certificates/v1beta1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { validateConditions } from "#apimachinery/validation/conditions.ts";
import { type FieldError, invalid, notSupported, required, tooLong } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength } from "#apimachinery/validation/names.ts";
import { pemBlocks } from "../pem-block.ts";
import { subjectKey } from "./subject-key.ts";

type Status = NonNullable<PodCertificateRequest["status"]>;

const CHAIN_BYTES_MAX = 100 * 1024;
const MINUTE_MS = 60_000;
const HOUR_MS: number = 60 * MINUTE_MS;
const OMITTED = "<value omitted>";
/** What became of a request; one of them, for good. */
const OUTCOMES = ["Issued", "Denied", "Failed"];
const status = FieldPath.of("status");
const chainPath = status.child("certificateChain");

/** Upstream's `ValidatePodCertificateRequestStatusUpdate`: a request is issued, denied or failed, once. `nowMs` is the server's clock. */
export function validateStatus(request: PodCertificateRequest, old: PodCertificateRequest, nowMs: number): FieldError[] {
  const next: Status = request.status ?? {};
  const before: Status = old.status ?? {};
  const errors = conditionErrors(next);
  if (errors.length > 0) return errors;
  const same = semanticEqual(next, before);
  if (outcomeOf(before) !== undefined) {
    return same ? [] : [invalid(status, OMITTED, "immutable after PodCertificateRequest is issued, denied, or failed")];
  }
  switch (outcomeOf(next)) {
    case undefined:
      return same
        ? []
        : [invalid(status, OMITTED, 'status is immutable unless transitioning to "Issued", "Denied", or "Failed"')];
    case "Issued":
      return issuedErrors(old, next, nowMs);
    default: {
      const { conditions: _conditions, ...rest } = next;
      const detail = "non-condition status fields must be empty when denying or failing the PodCertificateRequest";
      return semanticEqual(rest, {}) ? [] : [invalid(status, OMITTED, detail)];
    }
  }
}

function outcomeOf({ conditions = [] }: Status): string | undefined {
  return conditions.find(({ type, status: value }) => OUTCOMES.includes(type) && value === "True")?.type;
}

function conditionErrors({ conditions = [] }: Status): FieldError[] {
  const path = status.child("conditions");
  const errors: FieldError[] = [];
  let known = 0;
  for (const [i, { type, status: value }] of conditions.entries()) {
    // Upstream writes the index as a field of its own.
    const at = path.child(`[${i}]`);
    if (!OUTCOMES.includes(type)) {
      errors.push(notSupported(at.child("type"), type, OUTCOMES));
      continue;
    }
    if (++known > 1) {
      const detail = 'There may be at most one condition with type "Issued", "Denied", or "Failed"';
      errors.push(invalid(at.child("type"), type, detail));
    }
    if (value !== "True") errors.push(notSupported(at.child("status"), value, ["True"]));
  }
  return [...errors, ...validateConditions(conditions, path)];
}

function issuedErrors({ spec }: PodCertificateRequest, next: Status, nowMs: number): FieldError[] {
  const chain = next.certificateChain ?? "";
  if (byteLength(chain) > CHAIN_BYTES_MAX) return [tooLong(chainPath, CHAIN_BYTES_MAX)];
  const wrong = (detail: string): FieldError[] => [invalid(chainPath, chain, detail)];
  const [leafBlock, ...others] = pemBlocks(chain);
  if (leafBlock === undefined) return wrong("issued certificate chain must contain at least one certificate");
  if (leafBlock.type !== "CERTIFICATE") return wrong("issued certificate chain must consist entirely of CERTIFICATE PEM blocks");
  const leaf = certificateOf(leafBlock.bytes);
  if (leaf === undefined) return wrong("leaf certificate does not parse as valid X.509");
  const key = subjectKey(spec);
  if (key === undefined || !leaf.publicKey.equals(key))
    return wrong("leaf certificate was not issued to the requested public key");
  const errors = timeErrors(next, leaf, nowMs, spec.maxExpirationSeconds ?? 0);
  if (errors.length > 0) return errors;
  for (const { type, bytes } of others) {
    // Upstream's spelling.
    if (type !== "CERTIFICATE") return wrong("issued certificate chain must consist entirely of CERTFICATE PEM blocks");
    if (certificateOf(bytes) === undefined) return wrong("intermediate certificate does not parse as valid X.509");
  }
  return [];
}

function timeErrors(next: Status, leaf: X509Certificate, nowMs: number, maxSeconds: number): FieldError[] {
  const [beginsPath, endsPath, refreshPath] = [
    status.child("notBefore"),
    status.child("notAfter"),
    status.child("beginRefreshAt"),
  ];
  const consistent = "must be present and consistent with the issued certificate";
  const missing: FieldError[] = [];
  if (!next.notBefore) missing.push(required(beginsPath, consistent));
  if (!next.notAfter) missing.push(required(endsPath, consistent));
  if (!next.beginRefreshAt)
    missing.push(required(refreshPath, "must be present and in the range [notbefore+10min, notafter-10min]"));
  if (missing.length > 0) return missing;
  const at = (time: string | null | undefined): number => parseTime(time ?? undefined) ?? Number.NaN;
  const [begins, ends, refresh] = [at(next.notBefore), at(next.notAfter), at(next.beginRefreshAt)];
  const [leafBegins, leafEnds] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
  if (begins !== leafBegins) {
    return [invalid(beginsPath, next.notBefore, "must be set to the NotBefore time encoded in the leaf certificate")];
  }
  if (Math.abs(begins - nowMs) >= 5 * MINUTE_MS) {
    return [invalid(beginsPath, next.notBefore, "must be set to within 5 minutes of kube-apiserver's current time")];
  }
  if (ends !== leafEnds) {
    return [invalid(endsPath, next.notAfter, "must be set to the NotAfter time encoded in the leaf certificate")];
  }
  const life = leafEnds - leafBegins;
  if (life < HOUR_MS) return [invalid(chainPath, life * 1e6, "leaf certificate lifetime must be >= 1 hour")];
  if (life > maxSeconds * 1000) {
    return [invalid(chainPath, life * 1e6, `leaf certificate lifetime must be <= spec.maxExpirationSeconds (${maxSeconds})`)];
  }
  if (refresh < begins + 10 * MINUTE_MS) {
    return [invalid(refreshPath, next.beginRefreshAt, "must be at least 10 minutes after status.notBefore")];
  }
  if (refresh > ends - 10 * MINUTE_MS) {
    return [invalid(refreshPath, next.beginRefreshAt, "must be at least 10 minutes before status.notAfter")];
  }
  return [];
}

function certificateOf(der: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}
