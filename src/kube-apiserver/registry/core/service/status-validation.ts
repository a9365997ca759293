import type { LoadBalancerStatus, Service } from "#api/generated/core/v1.ts";
import { type FieldError, forbidden, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isValidIpForLegacyField, parseIp } from "#apimachinery/validation/ip.ts";
import { isDns1123Subdomain } from "#apimachinery/validation/names.ts";
import { invalidEach } from "../pod/validation/field-checks.ts";

const IP_MODES = ["Proxy", "VIP"];

/** Upstream's `ValidateServiceStatusUpdate` without the metadata rules. */
export function validateServiceStatus(service: Service, old: Service): FieldError[] {
  const status = service.status?.loadBalancer ?? {};
  return validateLoadBalancerStatus(status, old.status?.loadBalancer ?? {}, service, FieldPath.of("status", "loadBalancer"));
}

function validateLoadBalancerStatus(
  status: LoadBalancerStatus,
  old: LoadBalancerStatus,
  service: Service,
  path: FieldPath,
): FieldError[] {
  const ingresses = status.ingress ?? [];
  const before = (old.ingress ?? []).flatMap(({ ip }) => ip ?? []);
  const isLoadBalancer = service.spec.type === "LoadBalancer";
  const errors: FieldError[] = [];
  if (!isLoadBalancer && ingresses.length > 0) {
    errors.push(forbidden(path.child("ingress"), "may only be used when `spec.type` is 'LoadBalancer'"));
    return errors;
  }
  ingresses.forEach((ingress, i) => {
    const at = path.child("ingress").index(i);
    if (ingress.ip) errors.push(...isValidIpForLegacyField(at.child("ip"), ingress.ip, true, before));
    if (ingress.ip && ingress.ipMode === undefined)
      errors.push(required(at.child("ipMode"), "must be specified when `ip` is set"));
    if (!ingress.ip && ingress.ipMode !== undefined)
      errors.push(forbidden(at.child("ipMode"), "may not be specified when `ip` is not set"));
    else if (ingress.ipMode !== undefined && !IP_MODES.includes(ingress.ipMode)) {
      errors.push(notSupported(at.child("ipMode"), ingress.ipMode, IP_MODES));
    }
    if (!ingress.hostname) return;
    errors.push(...invalidEach(at.child("hostname"), ingress.hostname, isDns1123Subdomain(ingress.hostname)));
    if (parseIp(ingress.hostname) !== undefined) {
      errors.push(invalid(at.child("hostname"), ingress.hostname, "must be a DNS name, not an IP address"));
    }
  });
  return errors;
}
