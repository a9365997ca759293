import type { PodCertificateRequest } from "#api/generated/certificates/v1beta1.ts";
import { type FieldError, invalid, required, tooLong } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength, isDns1123Subdomain } from "#apimachinery/validation/names.ts";
import { validateImmutableField } from "#apimachinery/validation/object-meta.ts";
import { signerNameErrors } from "../../core/pod/validation/signer-name.ts";
import { keyErrors } from "./subject-key.ts";

const UID_BYTES_MAX = 128;
const HOUR_SECONDS = 60 * 60;
const DAY_SECONDS: number = 24 * HOUR_SECONDS;
/** The longest life of a certificate of Kubernetes' own signers, and of others. */
const KUBERNETES_SECONDS_MAX = DAY_SECONDS;
const OTHERS_SECONDS_MAX: number = 91 * DAY_SECONDS;
const specPath = FieldPath.of("spec");

/** Upstream's `ValidatePodCertificateRequestCreate`, without the metadata rules. */
export function validatePodCertificateRequest({ spec }: PodCertificateRequest): FieldError[] {
  const errors = signerNameErrors(spec.signerName ?? "", specPath.child("signerName"));
  for (const owner of ["pod", "serviceAccount", "node"] as const) {
    const [nameField, uidField] = [`${owner}Name`, `${owner}UID`] as const;
    const [name = "", uid = ""] = [spec[nameField], spec[uidField]];
    errors.push(...isDns1123Subdomain(name).map((message) => invalid(specPath.child(nameField), name, message)));
    if (uid === "") errors.push(invalid(specPath.child(uidField), uid, "must not be empty"));
    if (byteLength(uid) > UID_BYTES_MAX) errors.push(tooLong(specPath.child(uidField), UID_BYTES_MAX));
  }
  const seconds = spec.maxExpirationSeconds;
  const secondsPath = specPath.child("maxExpirationSeconds");
  if (seconds === undefined) return [...errors, required(secondsPath, "must be set")];
  const max = isKubernetesSigner(spec.signerName ?? "") ? KUBERNETES_SECONDS_MAX : OTHERS_SECONDS_MAX;
  if (seconds < HOUR_SECONDS || seconds > max) {
    errors.push(invalid(secondsPath, seconds, `must be in the range [${HOUR_SECONDS}, ${max}]`));
  }
  return [...errors, ...keyErrors(spec)];
}

/** What was asked for cannot change: a signer may have looked at it. */
export function validatePodCertificateRequestUpdate(request: PodCertificateRequest, old: PodCertificateRequest): FieldError[] {
  return validateImmutableField(request.spec, old.spec, specPath);
}

function isKubernetesSigner(name: string): boolean {
  const [domain = ""] = name.split("/", 1);
  return domain === "kubernetes.io" || domain.endsWith(".kubernetes.io");
}
