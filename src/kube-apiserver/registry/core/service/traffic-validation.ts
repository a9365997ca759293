import type { Service } from "#api/generated/core/v1.ts";
import { type FieldError, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isValidPortNum } from "#apimachinery/validation/names.ts";
import { invalidEach } from "../pod/validation/field-checks.ts";
import { isExternallyAccessible, needsHealthCheck } from "./service-fields.ts";

const POLICIES = ["Cluster", "Local"];
const TYPES_WITH_POLICY = ["ClusterIP", "NodePort", "LoadBalancer"];
const DISTRIBUTIONS = ["PreferClose", "PreferSameZone", "PreferSameNode"];
const spec = FieldPath.of("spec");

/** Policies for traffic from outside and inside, and their health check port, which may still be to be allocated. */
export function validateTrafficPolicies(service: Service, old: Service | undefined): FieldError[] {
  return [...external(service), ...healthCheck(service, old), ...internal(service), ...distribution(service)];
}

function external(service: Service): FieldError[] {
  const policy = service.spec.externalTrafficPolicy ?? "";
  const path = spec.child("externalTrafficPolicy");
  if (!isExternallyAccessible(service)) {
    return policy === "" ? [] : [invalid(path, policy, "may only be set for externally-accessible services")];
  }
  if (policy === "") return [required(path, "")];
  return POLICIES.includes(policy) ? [] : [notSupported(path, policy, POLICIES)];
}

/** What upstream finds missing when nothing allocates it: a Service that is made by a write of its status. */
export function unallocatedErrors(service: Service): FieldError[] {
  const port = service.spec.healthCheckNodePort ?? 0;
  return needsHealthCheck(service) && port === 0 ? [required(spec.child("healthCheckNodePort"), "")] : [];
}

function healthCheck(service: Service, old: Service | undefined): FieldError[] {
  const port = service.spec.healthCheckNodePort ?? 0;
  const path = spec.child("healthCheckNodePort");
  if (!needsHealthCheck(service)) {
    const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    return port === 0 ? [] : [invalid(path, port, detail)];
  }
  if (port !== 0) return invalidEach(path, port, isValidPortNum(port));
  return old !== undefined && needsHealthCheck(old) ? [required(path, "")] : [];
}

function internal(service: Service): FieldError[] {
  const policy = service.spec.internalTrafficPolicy;
  const path = spec.child("internalTrafficPolicy");
  if (policy === undefined) return TYPES_WITH_POLICY.includes(service.spec.type ?? "") ? [required(path, "")] : [];
  return POLICIES.includes(policy) ? [] : [notSupported(path, policy, POLICIES)];
}

function distribution(service: Service): FieldError[] {
  const value = service.spec.trafficDistribution;
  if (value === undefined || DISTRIBUTIONS.includes(value)) return [];
  return [notSupported(spec.child("trafficDistribution"), value, DISTRIBUTIONS)];
}
