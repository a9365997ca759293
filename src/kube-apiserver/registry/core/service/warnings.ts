import type { Service } from "#api/generated/core/v1.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { warningsForCidr, warningsForIp } from "#apimachinery/validation/ip.ts";
import { isHeadless } from "./service-fields.ts";

const TOPOLOGY_HINTS = "service.kubernetes.io/topology-aware-hints";
const spec = FieldPath.of("spec");

/** Upstream's warnings of a service's status: addresses in other notations than the usual. */
export function serviceStatusWarnings({ status }: Service): string[] {
  const path = FieldPath.of("status", "loadBalancer", "ingress");
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip = "" }, i) => warningsForIp(path.index(i), ip));
}

/** Upstream's `GetWarningsForService`. */
export function serviceWarnings(service: Service): string[] {
  const {
    type,
    clusterIP = "",
    clusterIPs = [],
    externalIPs = [],
    loadBalancerIP = "",
    loadBalancerSourceRanges = [],
  } = service.spec;
  const warnings: string[] = [];
  if (service.metadata.annotations?.[TOPOLOGY_HINTS] !== undefined) {
    warnings.push(`annotation ${TOPOLOGY_HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead`);
  }
  if (clusterIP !== "" && clusterIP !== "None") {
    warnings.push(...clusterIPs.flatMap((ip, i) => warningsForIp(spec.child("clusterIPs").index(i), ip)));
  }
  if (isHeadless(service)) {
    if (loadBalancerIP !== "") warnings.push("spec.loadBalancerIP is ignored for headless services");
    if (externalIPs.length > 0) warnings.push("spec.externalIPs is ignored for headless services");
    if (service.spec.sessionAffinity !== "None") warnings.push("spec.SessionAffinity is ignored for headless services");
  }
  warnings.push(...externalIPs.flatMap((ip, i) => warningsForIp(spec.child("externalIPs").index(i), ip)));
  if (externalIPs.length > 0 && type !== "ExternalName" && !isHeadless(service)) {
    warnings.push("spec.externalIPs is deprecated and may no longer be implemented in some clusters");
  }
  if (loadBalancerIP !== "") warnings.push(...warningsForIp(spec.child("loadBalancerIP"), loadBalancerIP));
  const ranges = spec.child("loadBalancerSourceRanges");
  warnings.push(...loadBalancerSourceRanges.flatMap((range, i) => warningsForCidr(ranges.index(i), range)));
  if (type === "ExternalName" && externalIPs.length > 0) {
    warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  }
  if (type !== "ExternalName" && service.spec.externalName) {
    warnings.push(`spec.externalName is ignored when spec.type is not ${goQuote("ExternalName")}`);
  }
  if (service.spec.trafficDistribution === "PreferClose") {
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  }
  return warnings;
}
