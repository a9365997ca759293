import type { APIService } from "#api/generated/apiregistration/v1.ts";
import { type FieldError, goQuote, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isDns1035Label, isDns1123Subdomain, isPathSegmentName, isValidPortNum } from "#apimachinery/validation/names.ts";
import { decodedLength } from "../../core/config-map/validation.ts";
import { invalidEach } from "../../core/pod/validation/field-checks.ts";

const GROUP_PRIORITY_MAX = 20_000;
const VERSION_PRIORITY_MAX = 1_000;
const CONDITION_STATUSES = ["True", "False", "Unknown"];
const spec = FieldPath.of("spec");

/** Upstream's `ValidateAPIService`. The name says group and version once more. */
export function validateApiService(service: APIService): FieldError[] {
  const { group = "", version = "", groupPriorityMinimum = 0, versionPriority = 0 } = service.spec ?? {};
  const errors: FieldError[] = [];
  const wanted = `${version}.${group}`;
  for (const field of ["generateName", "name"] as const) {
    const name = service.metadata[field];
    if (!name || name === wanted || isPathSegmentName(name).length > 0) continue;
    errors.push(invalid(FieldPath.of("metadata", field), name, `must be \`spec.version+"."+spec.group\`: ${goQuote(wanted)}`));
  }
  if (group !== "") errors.push(...invalidEach(spec.child("group"), group, isDns1123Subdomain(group)));
  else if (version !== "v1") {
    errors.push(required(spec.child("group"), "only v1 may have an empty group and it better be legacy kube"));
  }
  errors.push(...invalidEach(spec.child("version"), version, isDns1035Label(version)));
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > GROUP_PRIORITY_MAX) {
    const detail = `must be positive and less than ${GROUP_PRIORITY_MAX}`;
    errors.push(invalid(spec.child("groupPriorityMinimum"), groupPriorityMinimum, detail));
  }
  if (versionPriority <= 0 || versionPriority > VERSION_PRIORITY_MAX) {
    const detail = `must be positive and less than ${VERSION_PRIORITY_MAX}`;
    errors.push(invalid(spec.child("versionPriority"), versionPriority, detail));
  }
  return [...errors, ...backendErrors(service)];
}

function backendErrors({ spec: given }: APIService): FieldError[] {
  const { service, caBundle = "", insecureSkipTLSVerify } = given ?? {};
  const skip = spec.child("insecureSkipTLSVerify");
  const errors: FieldError[] = [];
  if (!service) {
    if (caBundle !== "") {
      const size = `${decodedLength(caBundle)} bytes`;
      errors.push(invalid(spec.child("caBundle"), size, "local APIServices may not have a caBundle"));
    }
    if (insecureSkipTLSVerify) errors.push(invalid(skip, true, "local APIServices may not have insecureSkipTLSVerify"));
    return errors;
  }
  const path = spec.child("service");
  if (!service.namespace) errors.push(required(path.child("namespace"), ""));
  if (!service.name) errors.push(required(path.child("name"), ""));
  const wrong = isValidPortNum(service.port ?? 0);
  if (wrong.length > 0) errors.push(invalid(path.child("port"), service.port, `port is not valid: ${wrong.join(",")}`));
  if (insecureSkipTLSVerify && caBundle !== "") errors.push(invalid(skip, true, "may not be true if caBundle is present"));
  return errors;
}

/** Upstream's `ValidateAPIServiceStatus`. */
export function validateApiServiceStatus({ status }: APIService): FieldError[] {
  return (status?.conditions ?? []).flatMap(({ status: given = "" }, i) => {
    if (CONDITION_STATUSES.includes(given)) return [];
    const path = FieldPath.of("status", "conditions").index(i).child("status");
    return [notSupported(path, given, CONDITION_STATUSES)];
  });
}
