import type { Service } from "#api/generated/core/v1.ts";
import { invalid as invalidObject } from "#apimachinery/api-errors/errors.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { parseIp } from "#apimachinery/validation/ip.ts";
import { validateClusterIpFields } from "./cluster-ip-validation.ts";
import { needsClusterIp, sameList } from "./service-fields.ts";

const spec = FieldPath.of("spec");
const policyPath = spec.child("ipFamilyPolicy");

/**
 * Fills `ipFamilyPolicy` and `ipFamilies` in for a cluster that has the address families `configured` (the default one
 * first), as upstream's `initIPFamilyFields`. Throws a StatusError where they cannot be had.
 */
export function initIpFamilyFields(service: Draft<Service>, old: Service | undefined, configured: readonly string[]): void {
  if (service.spec.type === "ExternalName" || staysPreferDualStack(service, old)) return;
  service.spec.ipFamilyPolicy ??= defaultPolicy(service, old);
  failOn(service, validateClusterIpFields(service, old));
  failOn(service, [...reconcileWithOld(service, old), ...policyErrors(service), ...inferFamilies(service, configured)]);
  if (isSelectorlessHeadless(service)) {
    service.spec.ipFamilies ??= [];
    const families = service.spec.ipFamilies;
    if (families.length === 0) families.push(configured[0] ?? "IPv4");
    if (families.length < 2 && service.spec.ipFamilyPolicy !== "SingleStack") families.push(otherFamily(families[0]));
    return;
  }
  failOn(service, configuredErrors(service, configured));
  service.spec.ipFamilies ??= [];
  const families = service.spec.ipFamilies;
  if (families.length === 0) families.push(configured[0] ?? "IPv4");
  if (service.spec.ipFamilyPolicy !== "SingleStack" && families.length === 1 && configured.length === 2) {
    families.push(otherFamily(families[0]));
  }
}

function failOn(service: Service, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidObject({ group: "", kind: "Service" }, service.metadata.name ?? "", errors);
}

function otherFamily(family: string | undefined): string {
  return family === "IPv4" ? "IPv6" : "IPv4";
}

function isSelectorlessHeadless(service: Service): boolean {
  return service.spec.clusterIP === "None" && Object.keys(service.spec.selector ?? {}).length === 0;
}

/** A PreferDualStack Service is not changed only because the cluster's families did. */
function staysPreferDualStack(service: Service, old: Service | undefined): boolean {
  if (old === undefined || service.spec.ipFamilyPolicy !== "PreferDualStack") return false;
  if (old.spec.type !== service.spec.type || !needsClusterIp(service)) return false;
  if (old.spec.ipFamilyPolicy !== undefined && old.spec.ipFamilyPolicy !== "PreferDualStack") return false;
  return sameList(old.spec.clusterIPs, service.spec.clusterIPs) && sameList(old.spec.ipFamilies, service.spec.ipFamilies);
}

function defaultPolicy(service: Service, old: Service | undefined): string {
  if (old?.spec.ipFamilyPolicy !== undefined) return old.spec.ipFamilyPolicy;
  return isSelectorlessHeadless(service) ? "RequireDualStack" : "SingleStack";
}

function reconcileWithOld(service: Draft<Service>, old: Service | undefined): FieldError[] {
  if (old === undefined) return [];
  const { clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = service.spec;
  if (ipFamilyPolicy === "SingleStack") {
    if (clusterIPs.length > 1 && sameList(clusterIPs, old.spec.clusterIPs)) service.spec.clusterIPs = clusterIPs.slice(0, 1);
    if (ipFamilies.length > 1 && sameList(ipFamilies, old.spec.ipFamilies)) service.spec.ipFamilies = ipFamilies.slice(0, 1);
    return [];
  }
  const errors: FieldError[] = [];
  if (reduced(clusterIPs, old.spec.clusterIPs)) {
    errors.push(invalid(policyPath, ipFamilyPolicy, "must be 'SingleStack' to release the secondary cluster IP"));
  }
  if (reduced(ipFamilies, old.spec.ipFamilies)) {
    errors.push(invalid(policyPath, ipFamilyPolicy, "must be 'SingleStack' to release the secondary IP family"));
  }
  return errors;
}

function reduced(after: readonly string[], before: readonly string[] = []): boolean {
  return after.length > 0 && after.length < before.length;
}

function policyErrors(service: Service): FieldError[] {
  const { clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = service.spec;
  if (ipFamilyPolicy !== "SingleStack") return [];
  const detail = (what: string): string => `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`;
  const errors: FieldError[] = [];
  if (clusterIPs.length === 2) errors.push(invalid(policyPath, ipFamilyPolicy, detail("cluster IPs")));
  if (ipFamilies.length === 2) errors.push(invalid(policyPath, ipFamilyPolicy, detail("IP families")));
  return errors;
}

function inferFamilies(service: Draft<Service>, configured: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  const ips = service.spec.clusterIPs ?? [];
  for (const [i, ip] of ips.entries()) {
    if (ip === "None") break;
    const family = parseIp(ip)?.family === 6 ? "IPv6" : "IPv4";
    if (i < (service.spec.ipFamilies ?? []).length) continue;
    if (!configured.includes(family)) {
      errors.push(invalid(spec.child("clusterIPs").index(i), ips, `${family} is not configured on this cluster`));
    } else service.spec.ipFamilies = [...(service.spec.ipFamilies ?? []), family];
  }
  return errors;
}

function configuredErrors(service: Service, configured: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  if (service.spec.ipFamilyPolicy === "RequireDualStack" && configured.length < 2) {
    errors.push(invalid(policyPath, service.spec.ipFamilyPolicy, "this cluster is not configured for dual-stack services"));
  }
  (service.spec.ipFamilies ?? []).forEach((family, i) => {
    if (!configured.includes(family)) {
      errors.push(invalid(spec.child("ipFamilies").index(i), family, "not configured on this cluster"));
    }
  });
  return errors;
}
