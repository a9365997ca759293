import type { DeviceClaimConfiguration, DeviceConstraint, DeviceRequest, ResourceClaimSpec } from "#api/generated/resource/v1.ts";
import { type FieldError, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { dnsLabelErrors, dnsSubdomainErrors } from "../core/pod/validation/field-checks.ts";
import { setErrors, sliceErrors } from "./bounded-lists.ts";
import { qualifiedAttributeErrors, validateOpaque, validateSelectors } from "./device-config-validation.ts";
import { deviceTolerationErrors } from "./taint-validation.ts";

const REQUESTS_MAX = 32;
const ALTERNATIVES_MAX = 8;
const MODES = ["All", "ExactCount"];
const ONE_KIND = "exactly one of `exactly` or `firstAvailable` is required";

type Exact = NonNullable<DeviceRequest["exactly"]>;
type Alternative = NonNullable<DeviceRequest["firstAvailable"]>[number];

/** Upstream's `validateResourceClaimSpec`, but for the expressions' own language. */
export function validateClaimSpec(spec: ResourceClaimSpec | undefined, path: FieldPath): FieldError[] {
  const { requests = [], constraints = [], config = [] } = spec?.devices ?? {};
  const at = path.child("devices");
  const names = requestNames(requests);
  return [
    ...setErrors(requests, REQUESTS_MAX, at.child("requests"), validateRequest, ({ name = "" }) => name),
    ...sliceErrors(constraints, REQUESTS_MAX, at.child("constraints"), (constraint, p) =>
      validateConstraint(constraint, names, p),
    ),
    ...sliceErrors(config, REQUESTS_MAX, at.child("config"), (entry, p) => validateConfig(entry, names, p)),
  ];
}

/** What constraints and configurations may refer to: requests, and their alternatives behind a slash. */
export function requestNames(requests: readonly DeviceRequest[]): ReadonlySet<string> {
  return new Set(
    requests.flatMap(({ name = "", firstAvailable }) => [name, ...(firstAvailable ?? []).map((one) => `${name}/${one.name}`)]),
  );
}

function validateRequest({ name = "", exactly, firstAvailable }: DeviceRequest, path: FieldPath): FieldError[] {
  const errors = dnsLabelErrors(name, path.child("name"));
  const hasAlternatives = (firstAvailable?.length ?? 0) > 0;
  if (exactly && hasAlternatives) errors.push(invalid(path, null, `${ONE_KIND}, but multiple fields are set`));
  else if (!exactly && !hasAlternatives) errors.push(required(path, ONE_KIND));
  else if (exactly) errors.push(...validateExact(exactly, path.child("exactly")));
  else {
    const check = (one: Alternative, at: FieldPath): FieldError[] => [
      ...dnsLabelErrors(one.name ?? "", at.child("name")),
      ...validateExact(one, at),
    ];
    errors.push(...setErrors(firstAvailable, ALTERNATIVES_MAX, path.child("firstAvailable"), check, (one) => one.name ?? ""));
  }
  return errors;
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
  return [...errors, ...(tolerations ?? []).flatMap((one, i) => deviceTolerationErrors(one, path.child("tolerations").index(i)))];
}

/** Upstream's `validateRequestNameRef` for each of a set of names. */
export function referenceErrors(
  requests: readonly string[] | undefined,
  names: ReadonlySet<string>,
  path: FieldPath,
): FieldError[] {
  return setErrors(
    requests,
    REQUESTS_MAX,
    path,
    (name, at) => referenceError(name, names, at),
    (name) => name,
  );
}

/** Upstream's `validateRequestNameRef`. */
export function referenceError(name: string, names: ReadonlySet<string>, path: FieldPath): FieldError[] {
  const detail = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
  const segments = name.split("/");
  if (segments.length > 2) return [invalid(path, name, detail)];
  const errors = segments.flatMap((segment) => dnsLabelErrors(segment, path));
  return names.has(name) ? errors : [...errors, invalid(path, name, detail)];
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
