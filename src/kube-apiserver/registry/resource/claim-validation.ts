import type { DeviceClaimConfiguration, DeviceConstraint, DeviceRequest, ResourceClaimSpec } from "#api/generated/resource/v1.ts";
import { duplicate, type FieldError, invalid, notSupported, required, tooMany } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { dnsLabelErrors, dnsSubdomainErrors } from "../core/pod/validation/field-checks.ts";
import { validateTolerations } from "../core/pod/validation/scheduling.ts";
import { qualifiedAttributeErrors, validateOpaque, validateSelectors } from "./device-config-validation.ts";

const REQUESTS_MAX = 32;
const ALTERNATIVES_MAX = 8;
const MODES = ["All", "ExactCount"];
const ONE_KIND = "exactly one of `exactly` or `firstAvailable` is required";

type Exact = NonNullable<DeviceRequest["exactly"]>;

/** Upstream's `validateResourceClaimSpec`, but for the expressions' own language. */
export function validateClaimSpec(spec: ResourceClaimSpec | undefined, path: FieldPath): FieldError[] {
  const { requests = [], constraints = [], config = [] } = spec?.devices ?? {};
  const at = path.child("devices");
  const names = requestNames(requests);
  return [
    ...validateRequests(requests, at.child("requests")),
    ...limited(constraints, at.child("constraints"), (constraint, p) => validateConstraint(constraint, names, p)),
    ...limited(config, at.child("config"), (entry, p) => validateConfig(entry, names, p)),
  ];
}

function limited<T>(
  list: readonly T[],
  path: FieldPath,
  check: (item: T, path: FieldPath) => FieldError[],
  max: number = REQUESTS_MAX,
): FieldError[] {
  const errors = list.length > max ? [tooMany(path, list.length, max)] : [];
  return [...errors, ...list.slice(0, max).flatMap((item, i) => check(item, path.index(i)))];
}

/** What constraints and configurations may refer to: requests, and their alternatives behind a slash. */
function requestNames(requests: readonly DeviceRequest[]): ReadonlySet<string> {
  return new Set(
    requests.flatMap(({ name, firstAvailable }) => [name, ...(firstAvailable ?? []).map((one) => `${name}/${one.name}`)]),
  );
}

function validateRequests(requests: readonly DeviceRequest[], path: FieldPath): FieldError[] {
  const seen = new Set<string>();
  return limited(requests, path, (request, at) => {
    const errors = validateRequest(request, at);
    if (seen.has(request.name ?? "")) errors.push(duplicate(at, request.name ?? ""));
    seen.add(request.name ?? "");
    return errors;
  });
}

function validateRequest({ name = "", exactly, firstAvailable }: DeviceRequest, path: FieldPath): FieldError[] {
  const errors = dnsLabelErrors(name, path.child("name"));
  const hasAlternatives = (firstAvailable?.length ?? 0) > 0;
  if (exactly && hasAlternatives) errors.push(invalid(path, null, `${ONE_KIND}, but multiple fields are set`));
  else if (!exactly && !hasAlternatives) errors.push(required(path, ONE_KIND));
  else if (exactly) errors.push(...validateExact(exactly, path.child("exactly")));
  else errors.push(...validateAlternatives(firstAvailable ?? [], path.child("firstAvailable")));
  return errors;
}

function validateAlternatives(alternatives: NonNullable<DeviceRequest["firstAvailable"]>, path: FieldPath): FieldError[] {
  const seen = new Set<string>();
  return limited(
    alternatives,
    path,
    (alternative, at) => {
      const { name = "" } = alternative;
      const errors = [...dnsLabelErrors(name, at.child("name")), ...validateExact(alternative, at)];
      if (seen.has(name)) errors.push(duplicate(at, name));
      seen.add(name);
      return errors;
    },
    ALTERNATIVES_MAX,
  );
}

function validateExact(request: Omit<Exact, "adminAccess">, path: FieldPath): FieldError[] {
  const { deviceClassName, selectors, allocationMode = "", count = 0, tolerations } = request;
  const classPath = path.child("deviceClassName");
  const errors = deviceClassName ? dnsSubdomainErrors(deviceClassName, classPath) : [required(classPath, "")];
  errors.push(...validateSelectors(selectors, path.child("selectors")));
  if (allocationMode === "ExactCount") {
    if (count <= 0) errors.push(invalid(path.child("count"), count, "must be greater than zero"));
  } else if (allocationMode === "All") {
    if (count !== 0) errors.push(invalid(path.child("count"), count, "must not be specified when allocationMode is 'All'"));
  } else errors.push(notSupported(path.child("allocationMode"), allocationMode, MODES));
  return [...errors, ...validateTolerations(tolerations ?? [], path.child("tolerations"))];
}

function referenceErrors(requests: readonly string[] | undefined, names: ReadonlySet<string>, path: FieldPath): FieldError[] {
  const list = requests ?? [];
  return list.flatMap((name, i) => {
    const at = path.index(i);
    const segments = name.split("/").slice(0, 2);
    const errors = segments.flatMap((segment) => dnsLabelErrors(segment, at));
    if (!names.has(name)) {
      const detail = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
      errors.push(invalid(at, name, detail));
    }
    if (list.indexOf(name) < i) errors.push(duplicate(at, name));
    return errors;
  });
}

function validateConstraint(constraint: DeviceConstraint, names: ReadonlySet<string>, path: FieldPath): FieldError[] {
  const { requests, matchAttribute, distinctAttribute } = constraint;
  const errors = referenceErrors(requests, names, path.child("requests"));
  if (matchAttribute !== undefined) errors.push(...qualifiedAttributeErrors(matchAttribute, path.child("matchAttribute")));
  else if (distinctAttribute !== undefined) {
    errors.push(...qualifiedAttributeErrors(distinctAttribute, path.child("distinctAttribute")));
  } else {
    const detail = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';
    errors.push(required(path, detail));
  }
  return errors;
}

function validateConfig(
  { requests, opaque }: DeviceClaimConfiguration,
  names: ReadonlySet<string>,
  path: FieldPath,
): FieldError[] {
  return [...referenceErrors(requests, names, path.child("requests")), ...validateOpaque(opaque, path.child("opaque"))];
}
