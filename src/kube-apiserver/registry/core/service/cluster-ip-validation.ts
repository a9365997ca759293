import type { Service } from "#api/generated/core/v1.ts";
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isValidIpForLegacyField, parseIp } from "#apimachinery/validation/ip.ts";
import { isHeadless } from "./service-fields.ts";

const IP_FAMILIES = ["IPv4", "IPv6"];
const IP_FAMILY_POLICIES = ["PreferDualStack", "RequireDualStack", "SingleStack"];
const spec = FieldPath.of("spec");
const ipsPath = spec.child("clusterIPs");

/** Upstream's `ValidateServiceClusterIPsRelatedFields`. Addresses that `old` had are taken in any form. */
export function validateClusterIpFields(service: Service, old: Service | undefined): FieldError[] {
  if (service.spec.type === "ExternalName") return [];
  const ips = service.spec.clusterIPs ?? [];
  const errors = [...inStep(service, ips), ...validateFamilies(service)];
  const before = old?.spec.clusterIPs ?? [];
  let broken = false;
  ips.forEach((ip, i) => {
    if (i === 0 && ip === "None") {
      if (ips.length > 1) {
        broken = true;
        errors.push(invalid(ipsPath, ips, "'None' must be the first and only value"));
      }
      return;
    }
    const wrong = isValidIpForLegacyField(ipsPath.index(i), ip, true, before);
    broken ||= wrong.length > 0;
    errors.push(...wrong);
  });
  if (ips.length > 2) errors.push(invalid(ipsPath, ips, "may only hold up to 2 values"));
  if (broken) return errors;
  if (ips.length > 1 && !isDualStack(ips)) {
    errors.push(invalid(ipsPath, ips, "may specify no more than one IP for each IP family"));
  }
  if (!isHeadless(service)) errors.push(...familyMismatches(ips, service.spec.ipFamilies ?? []));
  return errors;
}

function inStep(service: Service, ips: readonly string[]): FieldError[] {
  const ip = service.spec.clusterIP ?? "";
  if (ip === "") return ips.length === 0 ? [] : [invalid(ipsPath, ips, "must be empty when `clusterIP` is not specified")];
  if (ips.length === 0) return [required(ipsPath, "")];
  return ips[0] === ip ? [] : [invalid(ipsPath, ips, "first value must match `clusterIP`")];
}

function validateFamilies(service: Service): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  (service.spec.ipFamilies ?? []).forEach((family, i) => {
    const at = spec.child("ipFamilies").index(i);
    if (!IP_FAMILIES.includes(family)) errors.push(notSupported(at, family, IP_FAMILIES));
    if (seen.has(family)) errors.push(duplicate(at, family));
    seen.add(family);
  });
  const policy = service.spec.ipFamilyPolicy;
  if (policy !== undefined && !IP_FAMILY_POLICIES.includes(policy)) {
    errors.push(notSupported(spec.child("ipFamilyPolicy"), policy, IP_FAMILY_POLICIES));
  }
  return errors;
}

function isDualStack(ips: readonly string[]): boolean {
  const families = new Set(ips.map((ip) => parseIp(ip)?.family));
  return families.has(4) && families.has(6);
}

function familyMismatches(ips: readonly string[], families: readonly string[]): FieldError[] {
  return ips.slice(0, families.length).flatMap((ip, i) => {
    const wanted = families[i];
    const actual = parseIp(ip)?.family === 6 ? "IPv6" : "IPv4";
    if (wanted === undefined || wanted === actual || !IP_FAMILIES.includes(wanted)) return [];
    return [invalid(ipsPath.index(i), ip, `expected an ${wanted} value as indicated by \`ipFamilies[${i}]\``)];
  });
}

/** Cluster IPs and families belong to the cluster, so a Service of type ExternalName has none. */
export function validateNoClusterIps(service: Service): FieldError[] {
  const detail = "may not be set for ExternalName services";
  const errors: FieldError[] = [];
  if ((service.spec.clusterIPs ?? []).length > 0) errors.push(forbidden(ipsPath, detail));
  if ((service.spec.ipFamilies ?? []).length > 0) errors.push(forbidden(spec.child("ipFamilies"), detail));
  if (service.spec.ipFamilyPolicy !== undefined) errors.push(forbidden(spec.child("ipFamilyPolicy"), detail));
  return errors;
}

/** The first IP never changes; a second one may come, and go when the policy says so. */
function validateIpChange(service: Service, old: Service): FieldError[] {
  if (isHeadless(service) && isHeadless(old)) return [];
  const after = service.spec.clusterIPs ?? [];
  const before = old.spec.clusterIPs ?? [];
  const changed = (i: number): FieldError => invalid(ipsPath.index(i), service.spec.clusterIPs, NO_CHANGE);
  if (before.length === after.length) return before.flatMap((ip, i) => (ip === after[i] ? [] : [changed(i)]));
  const errors: FieldError[] = [];
  if (after.length === 0) errors.push(invalid(ipsPath.index(0), service.spec.clusterIPs, "primary clusterIP can not be unset"));
  if (before.length > 0 && after.length > 0 && before[0] !== after[0]) errors.push(changed(0));
  if (before.length > after.length && after.length === 1) errors.push(...releaseErrors(service, "clusterIP"));
  return errors;
}

/** The same of families, but that a headless Service may have any. Upstream shows the IPs of some complaints. */
function validateFamilyChange(service: Service, old: Service): FieldError[] {
  if (isHeadless(service) || isHeadless(old)) return [];
  const { clusterIPs, ipFamilies } = service.spec;
  const after = ipFamilies ?? [];
  const before = old.spec.ipFamilies ?? [];
  const path = spec.child("ipFamilies").index(0);
  if (before.length === after.length) {
    return before.flatMap((family, i) => (family === after[i] ? [] : [invalid(path, ipFamilies, NO_CHANGE)]));
  }
  const errors: FieldError[] = [];
  if (before.length > after.length && (clusterIPs ?? []).length === 0) {
    errors.push(invalid(path, ipFamilies, "primary ipFamily can not be unset"));
  }
  if (before.length > 0 && after.length > 0 && before[0] !== after[0]) errors.push(invalid(path, clusterIPs, NO_CHANGE));
  if (before.length > after.length && after.length === 1) errors.push(...releaseErrors(service, "ipFamily"));
  return errors;
}

const NO_CHANGE = "may not change once set";

function releaseErrors(service: Service, what: string): FieldError[] {
  const policy = service.spec.ipFamilyPolicy;
  if (policy === "SingleStack") return [];
  const detail = `must be set to 'SingleStack' when releasing the secondary ${what}`;
  return [invalid(spec.child("ipFamilyPolicy"), policy, detail)];
}

/** Upstream's `validateUpgradeDowngradeClusterIPs` and `validateUpgradeDowngradeIPFamilies`. */
export function validateClusterIpUpdate(service: Service, old: Service): FieldError[] {
  if (service.spec.type === "ExternalName" || old.spec.type === "ExternalName") return [];
  return [...validateIpChange(service, old), ...validateFamilyChange(service, old)];
}
