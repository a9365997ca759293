import type {
  ContainerResizePolicy,
  PodResourceClaim,
  PodSpec,
  ResourceClaim,
  ResourceRequirements,
} from "#api/generated/core/v1.ts";
import type { ObjectMeta } from "#apimachinery/meta/api-object.ts";
import {
  canonicalQuantity,
  parseQuantity,
  quantityCompare,
  quantityMilliValue,
  quantityValue,
} from "#apimachinery/resource/quantity.ts";
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { nameIsDnsSubdomain } from "#apimachinery/validation/names.ts";
import { ownValue } from "#base/own-value.ts";
import { aggregateContainerLimits, aggregateContainerRequests } from "../pod-resources.ts";
import { MIRROR_ANNOTATION } from "./annotations.ts";
import { dnsLabelErrors, invalidEach } from "./field-checks.ts";
import type { PodValidationOptions } from "./options.ts";
import {
  containerResourceNameErrors,
  hugePageSize,
  isHugePageResource,
  isIntegerResource,
  isOvercommitAllowed,
  podResourceNameErrors,
} from "./resource-names.ts";

type NameCheck = (name: string, path: FieldPath) => FieldError[];

/** Upstream's `ValidateResourceQuantityValue`: not negative, and whole where only whole units exist. */
export function validateResourceQuantity(name: string, value: string, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const quantity = parseQuantity(value);
  if (quantityCompare(quantity, parseQuantity("0")) < 0) {
    errors.push(invalid(path, canonicalQuantity(value), "must be greater than or equal to 0"));
  }
  if (isIntegerResource(name) && quantityMilliValue(quantity) % 1000 !== 0) {
    errors.push(invalid(path, canonicalQuantity(value), "must be an integer"));
  }
  return errors;
}

/** Requests, limits and claims of a container. */
export function validateContainerResources(
  requirements: ResourceRequirements,
  claimNames: ReadonlySet<string>,
  path: FieldPath,
  options: PodValidationOptions,
): FieldError[] {
  return requirementsErrors(requirements, containerResourceNameErrors, claimNames, path, options);
}

function requirementsErrors(
  requirements: ResourceRequirements,
  checkName: NameCheck,
  claimNames: ReadonlySet<string>,
  path: FieldPath,
  options: PodValidationOptions,
): FieldError[] {
  const errors: FieldError[] = [];
  const limits = requirements.limits ?? {};
  const requests = requirements.requests ?? {};
  const hugePagesError = (name: string, value: string, at: FieldPath): FieldError[] =>
    options.allowIndivisibleHugePagesValues ? [] : hugePageErrors(name, value, at);
  for (const [name, value] of Object.entries(limits)) {
    const at = path.child("limits").key(name);
    errors.push(...checkName(name, at), ...validateResourceQuantity(name, value, at));
    if (isHugePageResource(name)) errors.push(...hugePagesError(name, value, at));
  }
  for (const [name, value] of Object.entries(requests)) {
    const at = path.child("requests").key(name);
    errors.push(...checkName(name, at), ...validateResourceQuantity(name, value, at));
    errors.push(...requestAgainstLimit(name, value, ownValue(limits, name), path));
    if (isHugePageResource(name)) errors.push(...hugePagesError(name, value, at));
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePageResource) && !names.includes("cpu") && !names.includes("memory")) {
    errors.push(forbidden(path, "HugePages require cpu or memory"));
  }
  return [...errors, ...claimReferenceErrors(requirements.claims ?? [], claimNames, path.child("claims"))];
}

function requestAgainstLimit(name: string, request: string, limit: string | undefined, path: FieldPath): FieldError[] {
  if (limit === undefined) {
    if (isOvercommitAllowed(name)) return [];
    return [required(path.child("limits"), "Limit must be set for non overcommitable resources")];
  }
  const order = quantityCompare(parseQuantity(request), parseQuantity(limit));
  const value = canonicalQuantity(request);
  if (order !== 0 && !isOvercommitAllowed(name)) {
    return [invalid(path.child("requests"), value, `must be equal to ${name} limit of ${canonicalQuantity(limit)}`)];
  }
  if (order <= 0) return [];
  return [invalid(path.child("requests"), value, `must be less than or equal to ${name} limit of ${canonicalQuantity(limit)}`)];
}

function hugePageErrors(name: string, value: string, path: FieldPath): FieldError[] {
  const text = canonicalQuantity(value);
  return isDivisible(name, value) ? [] : [invalid(path, text, `${text} is not positive integer multiple of ${name}`)];
}

function isDivisible(name: string, value: string): boolean {
  let pageSize: number;
  try {
    pageSize = quantityValue(parseQuantity(hugePageSize(name)));
  } catch {
    return false;
  }
  const amount = parseQuantity(value);
  if (pageSize <= 0) return false;
  return quantityValue(amount) % pageSize === 0;
}

function claimReferenceErrors(claims: readonly ResourceClaim[], podClaims: ReadonlySet<string>, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  claims.forEach((claim, i) => {
    const at = path.index(i);
    const name = claim.name ?? "";
    if (name === "") {
      errors.push(required(at, ""));
      return;
    }
    if (seen.has(name)) errors.push(duplicate(at, name));
    else {
      const request = claim.request ?? "";
      const key = request === "" ? name : `${name}/${request}`;
      if (request !== "") errors.push(...dnsLabelErrors(request, at.child("request")));
      if (seen.has(key)) errors.push(duplicate(at, key));
      // A whole claim overlaps with each of its requests that was named before.
      else if (request === "" && [...seen].some((other) => other.startsWith(`${name}/`))) errors.push(duplicate(at, name));
      seen.add(key);
    }
    if (!podClaims.has(name)) {
      const names = podClaims.size === 0 ? " which is empty" : `: ${[...podClaims].sort().join(", ")}`;
      errors.push({
        type: "FieldValueNotFound",
        field: `${at}`,
        message: `Not found: ${JSON.stringify(name)}: must be one of the names in pod.spec.resourceClaims${names}`,
      });
    }
  });
  return errors;
}

/** The pod's own list of claims, which pods that the kubelet itself makes cannot have. */
export function validatePodResourceClaims(
  claims: readonly PodResourceClaim[],
  podMeta: ObjectMeta | undefined,
  path: FieldPath,
): FieldError[] {
  if (podMeta?.annotations?.[MIRROR_ANNOTATION] !== undefined) {
    return claims.map(() => forbidden(FieldPath.root.key(""), "static pods do not support resource claims"));
  }
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  claims.forEach((claim, i) => {
    const at = path.index(i);
    const name = claim.name ?? "";
    if (name === "") errors.push(required(at.child("name"), ""));
    else if (seen.has(name)) errors.push(duplicate(at.child("name"), name));
    else {
      errors.push(...dnsLabelErrors(name, at.child("name")));
      seen.add(name);
    }
    const { resourceClaimName, resourceClaimTemplateName } = claim;
    const internal = {
      Name: name,
      ResourceClaimName: resourceClaimName ?? null,
      ResourceClaimTemplateName: resourceClaimTemplateName ?? null,
    };
    const hasName = internal.ResourceClaimName !== null;
    const hasTemplate = internal.ResourceClaimTemplateName !== null;
    if (hasName && hasTemplate) {
      errors.push(invalid(at, internal, "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"));
    }
    if (!hasName && !hasTemplate) {
      errors.push(invalid(at, internal, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"));
    }
    for (const [field, value] of Object.entries({ resourceClaimName, resourceClaimTemplateName })) {
      if (value !== undefined && value !== null) {
        errors.push(...invalidEach(at.child(field), value, nameIsDnsSubdomain(value, false)));
      }
    }
  });
  return errors;
}

/** Resources of the pod as a whole: valid, at least what the containers ask for, at least their limits (KEP-2837). */
export function validatePodLevelResources(
  spec: PodSpec,
  claimNames: ReadonlySet<string>,
  path: FieldPath,
  options: PodValidationOptions,
): FieldError[] {
  const resources = spec.resources;
  if (!resources) return [];
  if (spec.os?.name === "windows") return [forbidden(path, "may not be set for a windows pod")];
  const errors: FieldError[] = [];
  if (resources.claims) errors.push(forbidden(path.child("claims"), "claims may not be set for Resources at pod-level"));
  errors.push(...requirementsErrors(resources, podResourceNameErrors, claimNames, path, options));
  for (const [name, total] of Object.entries(aggregateContainerRequests(spec)).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const pod = ownValue(resources.requests, name);
    if (pod !== undefined && quantityCompare(parseQuantity(total), parseQuantity(pod)) > 0) {
      const detail = `must be greater than or equal to aggregate container requests of ${total}`;
      errors.push(invalid(path.child("requests").key(name), canonicalQuantity(pod), detail));
    }
  }
  // Huge pages are not overcommitted, so that their limits add up like requests.
  for (const [name, total] of Object.entries(aggregateContainerLimits(spec)).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const pod = isHugePageResource(name) ? ownValue(resources.limits, name) : undefined;
    if (pod === undefined || quantityCompare(parseQuantity(total), parseQuantity(pod)) <= 0) continue;
    const detail = `must be greater than or equal to aggregate container limits of ${total}`;
    errors.push(invalid(path.child("limits").key(name), canonicalQuantity(pod), detail));
  }
  (spec.containers ?? []).forEach((container, i) => {
    for (const [name, limit] of Object.entries(container.resources?.limits ?? {})) {
      const pod = ownValue(resources.limits, name);
      if (pod === undefined || quantityCompare(parseQuantity(limit), parseQuantity(pod)) <= 0) continue;
      const at = path.child("containers").index(i).key(name).child("limits");
      errors.push(invalid(at, canonicalQuantity(limit), `must be less than or equal to pod limits of ${canonicalQuantity(pod)}`));
    }
  });
  return errors;
}

const RESIZE_POLICIES = ["NotRequired", "RestartContainer"];
const RESIZE_RESOURCES = ["cpu", "memory"];

/** What a container does when its resources change in place (KEP-1287). */
export function validateResizePolicy(
  policies: readonly ContainerResizePolicy[],
  path: FieldPath,
  podRestartPolicy: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  policies.forEach((policy, i) => {
    const name = policy.resourceName ?? "";
    const restart = policy.restartPolicy ?? "";
    if (seen.has(name)) errors.push(duplicate(path.index(i), name));
    seen.add(name);
    if (name === "") errors.push(required(path, ""));
    else if (!RESIZE_RESOURCES.includes(name)) errors.push(notSupported(path, name, RESIZE_RESOURCES));
    if (restart === "") errors.push(required(path, ""));
    else if (!RESIZE_POLICIES.includes(restart)) errors.push(notSupported(path, restart, RESIZE_POLICIES));
    if (podRestartPolicy === "Never" && restart !== "NotRequired") {
      errors.push(invalid(path, restart, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"));
    }
  });
  return errors;
}
