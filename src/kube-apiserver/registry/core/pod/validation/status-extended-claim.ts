import type { PodExtendedResourceClaimStatus, PodSpec } from "#api/generated/core/v1.ts";
import { duplicate, type FieldError, invalid, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { nameIsDnsSubdomain } from "#apimachinery/validation/names.ts";
import { ownValue } from "#base/own-value.ts";
import { dnsLabelErrors, invalidEach } from "./field-checks.ts";

const NO_SUCH_RESOURCE =
  "must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests";
const NO_SUCH_CONTAINER = "must match the name of an entry in spec.initContainers.name or spec.containers.name";

/** The claim that was made for a pod's extended resources (KEP-5004). */
export function extendedClaimErrors(status: PodExtendedResourceClaimStatus | undefined, spec: PodSpec): FieldError[] {
  if (!status) return [];
  const path = FieldPath.of("status", "extendedResourceClaimStatus");
  const mappings = status.requestMappings ?? [];
  const errors: FieldError[] = [];
  if (mappings.length === 0) errors.push(required(path.child("requestMappings"), "at least one request mapping is required"));
  const containers = new Map([...(spec.initContainers ?? []), ...(spec.containers ?? [])].map((one) => [one.name, one]));
  const seen = new Set<string>();
  mappings.forEach((mapping, i) => {
    const at = path.child("requestMappings").index(i);
    const { containerName = "", resourceName = "", requestName = "" } = mapping;
    const container = containers.get(containerName);
    if (!container) errors.push(invalid(at.child("containerName"), containerName, NO_SUCH_CONTAINER));
    else if (ownValue(container.resources?.requests ?? {}, resourceName) === undefined) {
      errors.push(invalid(at.child("resourceName"), resourceName, NO_SUCH_RESOURCE));
    }
    errors.push(...dnsLabelErrors(requestName, path.child("requestName")));
    const key = JSON.stringify([containerName, resourceName, requestName]);
    if (seen.has(key)) {
      for (const field of ["containerName", "resourceName", "requestName"] as const) {
        errors.push(duplicate(at.child(field), mapping[field] ?? ""));
      }
    }
    seen.add(key);
  });
  const name = status.resourceClaimName ?? "";
  const at = path.child("resourceClaimName");
  return [...errors, ...(name === "" ? [required(at, "")] : invalidEach(at, name, nameIsDnsSubdomain(name, false)))];
}
