import type {
  ClusterTrustBundleProjection,
  PodCertificateProjection,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
} from "#api/generated/core/v1.ts";
import { type FieldError, forbidden, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { nameIsDnsSubdomain } from "#apimachinery/validation/names.ts";
import { validateLabelSelector } from "#apimachinery/validation/object-meta.ts";
import { invalidEach } from "./field-checks.ts";
import type { PodValidationOptions } from "./options.ts";
import { fileModeErrors, localNonReservedPathErrors } from "./paths.ts";
import { signerNameErrors } from "./signer-name.ts";
import { validateDownwardApiFile, validateKeyToPath } from "./volumes-files.ts";

const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;
const DUPLICATE_PATHS = "conflicting duplicate paths";

/** Several sources in one directory. */
export function validateProjected(source: ProjectedVolumeSource, path: FieldPath, options: PodValidationOptions): FieldError[] {
  const errors = fileModeErrors(source.defaultMode, path.child("defaultMode"));
  const taken = new Set<string>();
  const take = (file: string, complainAbout: string): void => {
    if (taken.has(file)) errors.push(invalid(path, complainAbout, DUPLICATE_PATHS));
    else taken.add(file);
  };
  (source.sources ?? []).forEach((projection, i) => {
    const at = path.child("sources").index(i);
    let count = 0;
    for (const field of ["secret", "configMap"] as const) {
      const keys = projection[field];
      if (!keys) continue;
      count++;
      const name = keys.name ?? "";
      if (name === "") errors.push(required(at.child(field, "name"), ""));
      (keys.items ?? []).forEach((item, k) => {
        errors.push(...validateKeyToPath(item, at.child(field, "items").index(k)));
        if (item.path) take(item.path, name);
      });
    }
    if (projection.downwardAPI) {
      count++;
      for (const file of projection.downwardAPI.items ?? []) {
        errors.push(...validateDownwardApiFile(file, at.child("downwardAPI")));
        if (file.path) take(file.path, file.path);
      }
    }
    if (projection.serviceAccountToken) {
      count++;
      errors.push(...tokenErrors(projection.serviceAccountToken, path, at.child("serviceAccountToken"), options));
    }
    if (projection.clusterTrustBundle) {
      count++;
      errors.push(...trustBundleErrors(projection.clusterTrustBundle, at.child("clusterTrustBundle")));
      const file = projection.clusterTrustBundle.path ?? "";
      take(file, file);
    }
    if (projection.podCertificate) {
      count++;
      const certificatePath = at.child("podCertificate");
      errors.push(...podCertificateErrors(projection.podCertificate, certificatePath));
      let files = 0;
      for (const field of ["credentialBundlePath", "keyPath", "certificateChainPath"] as const) {
        const file = projection.podCertificate[field];
        if (!file) continue;
        files++;
        errors.push(...localNonReservedPathErrors(file, certificatePath.child(field)));
        take(file, file);
      }
      if (files === 0) errors.push(required(certificatePath, NO_CERTIFICATE_PATH));
    }
    if (count > 1) errors.push(forbidden(at, "may not specify more than 1 volume type per source"));
  });
  return errors;
}

/** Upstream reports the path of the token at the volume instead of at the source. */
function tokenErrors(
  token: ServiceAccountTokenProjection,
  volume: FieldPath,
  path: FieldPath,
  options: PodValidationOptions,
): FieldError[] {
  const errors: FieldError[] = [];
  const seconds = token.expirationSeconds ?? 0;
  const at = path.child("expirationSeconds");
  if (seconds < TOKEN_SECONDS_MIN) errors.push(invalid(at, seconds, "may not specify a duration less than 10 minutes"));
  if (seconds > TOKEN_SECONDS_MAX) errors.push(invalid(at, seconds, "may not specify a duration larger than 2^32 seconds"));
  if (!token.path) errors.push(required(volume.child("path"), ""));
  else if (!options.allowNonLocalProjectedTokenPath) errors.push(...localNonReservedPathErrors(token.path, volume.child("path")));
  return errors;
}

function trustBundleErrors(bundle: ClusterTrustBundleProjection, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { name, signerName, labelSelector } = bundle;
  const usingName = name !== undefined && name !== null;
  const usingSigner = signerName !== undefined && signerName !== null;
  if (usingName && usingSigner) {
    const internal = {
      Name: name,
      SignerName: signerName,
      LabelSelector: labelSelector ?? null,
      Optional: bundle.optional ?? null,
      Path: bundle.path ?? "",
    };
    errors.push(invalid(path, internal, "only one of name and signerName may be used"));
  } else if (usingName) {
    if (name === "") errors.push(required(path.child("name"), "must be a valid object name"));
    const messages = trustBundleNameMessages(name).map((message) => `not a valid clustertrustbundlename: ${message}`);
    errors.push(...invalidEach(path.child("name"), name, messages));
    if (labelSelector) {
      errors.push(invalid(path.child("labelSelector"), labelSelector, "labelSelector must be unset if name is specified"));
    }
  } else if (usingSigner) {
    if (signerName === "") errors.push(required(path.child("signerName"), "must be a valid signer name"));
    errors.push(...signerNameErrors(signerName, path.child("signerName")));
    if (labelSelector) {
      errors.push(
        ...validateLabelSelector(labelSelector, { allowInvalidLabelValueInSelector: false }, path.child("labelSelector")),
      );
    }
  } else {
    errors.push(required(path, "either name or signerName must be specified"));
  }
  if (!bundle.path) errors.push(required(path.child("path"), ""));
  return [...errors, ...localNonReservedPathErrors(bundle.path ?? "", path.child("path"))];
}

/** Bundles of a signer are named after it, with `:` for `/`. */
function trustBundleNameMessages(name: string): string[] {
  const last = name.lastIndexOf(":");
  if (last < 0) return nameIsDnsSubdomain(name, false);
  const prefix = `${name.slice(0, last).replace("/", ":")}:`;
  if (!name.startsWith(prefix)) return [`ClusterTrustBundle for signerName must be named with prefix ${prefix}`];
  return nameIsDnsSubdomain(name.slice(prefix.length), false);
}

const NO_CERTIFICATE_PATH = "specify at least one of credentialBundlePath, keyPath, and certificateChainPath";
const KEY_TYPES = ["RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"];
const CERTIFICATE_SECONDS_MIN = 3600;
const CERTIFICATE_SECONDS_MAX = 91 * 24 * 3600;

/** Signers of Kubernetes itself make no certificates that live longer than a day. */
const OWN_CERTIFICATE_SECONDS_MAX = 24 * 3600;

/** A certificate issued for the pod (KEP-4317), but for the files that hold it. */
function podCertificateErrors(projection: PodCertificateProjection, path: FieldPath): FieldError[] {
  const signer = projection.signerName ?? "";
  const errors: FieldError[] = signerNameErrors(signer, path.child("signerName"));
  const keyType = projection.keyType ?? "";
  if (!KEY_TYPES.includes(keyType)) errors.push(notSupported(path.child("keyType"), keyType, KEY_TYPES));
  const seconds = projection.maxExpirationSeconds;
  if (seconds === undefined || seconds === null) return errors;
  const at = path.child("maxExpirationSeconds");
  if (seconds < CERTIFICATE_SECONDS_MIN) {
    errors.push(invalid(at, seconds, `if provided, maxExpirationSeconds must be >= ${CERTIFICATE_SECONDS_MIN}`));
  }
  const host = signer.split("/", 1)[0] ?? "";
  const isOwn = host === "kubernetes.io" || host.endsWith(".kubernetes.io");
  const max = isOwn ? OWN_CERTIFICATE_SECONDS_MAX : CERTIFICATE_SECONDS_MAX;
  if (seconds > max) errors.push(invalid(at, seconds, `if provided, maxExpirationSeconds must be <= ${max}`));
  return errors;
}
