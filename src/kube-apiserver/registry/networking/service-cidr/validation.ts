import type { ServiceCIDR } from "#api/generated/networking/v1.ts";
import { type FieldError, invalid, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isValidCidr, parseCidr } from "#apimachinery/validation/ip.ts";
import { IMMUTABLE_MESSAGE } from "#apimachinery/validation/object-meta.ts";

const path = FieldPath.of("spec", "cidrs");

/** Upstream's `ValidateServiceCIDR` without the metadata rules: one network, or one of each family. */
export function validateServiceCidr({ spec }: ServiceCIDR): FieldError[] {
  const cidrs = spec?.cidrs ?? [];
  if (cidrs.length === 0) return [required(path, "at least one CIDR required")];
  if (cidrs.length > 2) return [invalid(path, { CIDRs: cidrs }, "may only hold up to 2 values")];
  const errors = cidrs.flatMap((cidr, i) => isValidCidr(path.index(i), cidr));
  const [first, second] = cidrs.map((cidr) => parseCidr(cidr)?.address.family);
  if (first !== undefined && first === second) {
    const detail = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
    errors.push(invalid(path, cidrs, detail));
  }
  return errors;
}

/** Networks cannot change; a second one, of the other family, may be added (kubernetes/kubernetes#131261). */
export function validateServiceCidrUpdate(object: ServiceCIDR, old: ServiceCIDR): FieldError[] {
  const cidrs = object.spec?.cidrs ?? [];
  const before = old.spec?.cidrs ?? [];
  const changed = (i: number): FieldError[] =>
    cidrs[i] === before[i] ? [] : [invalid(path.index(i), cidrs[i], IMMUTABLE_MESSAGE)];
  if (cidrs.length === before.length) return before.flatMap((_, i) => changed(i));
  if (before.length === 1 && cidrs.length === 2) return [...changed(0), ...validateServiceCidr(object)];
  return [invalid(path, object.spec?.cidrs, IMMUTABLE_MESSAGE)];
}
