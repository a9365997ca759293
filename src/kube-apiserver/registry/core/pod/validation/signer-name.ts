import { type FieldError, invalid, required, tooLong } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength, isDns1123Subdomain } from "#apimachinery/validation/names.ts";

const SUBDOMAIN_MAX = 253;
const LABEL_MAX = 63;
const SIGNER_PATH_MAX = 571;

/** Upstream's `ValidateSignerName`: a fully qualified domain, a slash, a path of dotted labels. */
export function signerNameErrors(name: string, path: FieldPath): FieldError[] {
  if (name === "") return [required(path, "")];
  const segments = name.split("/");
  if (segments.length !== 2) {
    const detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    return [invalid(path, name, detail)];
  }
  const [domain = "", signer = ""] = segments;
  if (domain === "") return [invalid(path, domain, "validation: domain name cannot be empty")];
  const errors = isDns1123Subdomain(domain).map((message) => invalid(path, domain, `validating label "${domain}": ${message}`));
  if (domain.split(".").length < 2) {
    errors.push(invalid(path, domain, "should be a domain with at least two segments separated by dots"));
  }
  for (const label of signer.split(".")) {
    errors.push(...isDns1123Subdomain(label).map((message) => invalid(path, label, `validating label "${label}": ${message}`)));
  }
  const max = SUBDOMAIN_MAX + SIGNER_PATH_MAX + LABEL_MAX;
  if (byteLength(name) > max) errors.push(tooLong(path, max));
  return errors;
}
