import type { Service } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import {
  hasNodePortType,
  isExternallyAccessible,
  needsClusterIp,
  needsHealthCheck,
  nodePortsOf,
  sameList,
} from "./service-fields.ts";

/** Puts back what was allocated and the client left out, so that a PUT of the original manifest changes nothing. */
export function patchAllocatedValues(service: Draft<Service>, old: Service): void {
  const { spec } = service;
  if (needsClusterIp(old) && needsClusterIp(service)) {
    if (!spec.clusterIP && old.spec.clusterIP) spec.clusterIP = old.spec.clusterIP;
    if ((spec.clusterIPs ?? []).length === 0) copyList(service, old);
  }
  if (hasNodePortType(old) && hasNodePortType(service)) patchNodePorts(service, old);
  if (needsHealthCheck(old) && needsHealthCheck(service) && !spec.healthCheckNodePort && old.spec.healthCheckNodePort) {
    spec.healthCheckNodePort = old.spec.healthCheckNodePort;
  }
}

function patchNodePorts(service: Draft<Service>, old: Service): void {
  const kept = new Set(nodePortsOf(service));
  const used = new Set(nodePortsOf(old).filter((port) => kept.has(port)));
  const byName = new Map((old.spec.ports ?? []).map((port) => [port.name ?? "", port.nodePort ?? 0]));
  for (const port of service.spec.ports ?? []) {
    if (port.nodePort) continue;
    const before = byName.get(port.name ?? "") ?? 0;
    if (before !== 0 && !used.has(before)) port.nodePort = before;
  }
}

/** Keeps `clusterIP` and `clusterIPs` in step for clients that know only one of them. */
export function normalizeClusterIps(service: Draft<Service>, old: Service | undefined): void {
  const { spec } = service;
  if (old === undefined) {
    if (spec.clusterIP && (spec.clusterIPs ?? []).length === 0) spec.clusterIPs = [spec.clusterIP];
    return;
  }
  const before = old.spec.clusterIP ?? "";
  const after = spec.clusterIP ?? "";
  if ((spec.clusterIPs ?? []).length === 0 && before === after) copyList(service, old);
  if (before === after || !sameList(spec.clusterIPs, old.spec.clusterIPs)) return;
  if (after === "") delete spec.clusterIPs;
  else spec.clusterIPs = [after];
}

function copyList(service: Draft<Service>, old: Service): void {
  if ((old.spec.clusterIPs ?? []).length > 0) service.spec.clusterIPs = [...(old.spec.clusterIPs ?? [])];
}

/** Drops what the old type needed, the new one does not, and the client did not touch. */
export function dropTypeDependentFields(service: Draft<Service>, old: Service): void {
  const { spec } = service;
  if (needsClusterIp(old) && !needsClusterIp(service)) {
    if ((spec.clusterIP ?? "") === (old.spec.clusterIP ?? "") && sameList(spec.clusterIPs, old.spec.clusterIPs)) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    }
    if (sameList(spec.ipFamilies, old.spec.ipFamilies)) delete spec.ipFamilies;
    if (spec.ipFamilyPolicy === old.spec.ipFamilyPolicy) delete spec.ipFamilyPolicy;
  }
  if (hasNodePortType(old) && !hasNodePortType(service) && sameNodePorts(service, old)) {
    for (const port of spec.ports ?? []) delete port.nodePort;
  }
  if (needsHealthCheck(old) && !needsHealthCheck(service) && spec.healthCheckNodePort === old.spec.healthCheckNodePort) {
    delete spec.healthCheckNodePort;
  }
  if (old.spec.type === "LoadBalancer" && spec.type !== "LoadBalancer") {
    if (spec.allocateLoadBalancerNodePorts === old.spec.allocateLoadBalancerNodePorts) delete spec.allocateLoadBalancerNodePorts;
    if (spec.loadBalancerClass === old.spec.loadBalancerClass) delete spec.loadBalancerClass;
  }
  if (
    isExternallyAccessible(old) &&
    !isExternallyAccessible(service) &&
    spec.externalTrafficPolicy === old.spec.externalTrafficPolicy
  ) {
    delete spec.externalTrafficPolicy;
  }
  if (spec.type !== "LoadBalancer" && service.status?.loadBalancer) service.status.loadBalancer = {};
}

/** Upstream keeps it in the store, but never shows it. */
export function dropUnusedInternalPolicy({ spec }: Draft<Service>): void {
  if (spec.type !== "ExternalName") return;
  if (spec.internalTrafficPolicy === "Cluster" || spec.internalTrafficPolicy === "Local") delete spec.internalTrafficPolicy;
}

/** Ports may come and go, but none that is new. */
function sameNodePorts(service: Service, old: Service): boolean {
  const before = nodePortsOf(old);
  return nodePortsOf(service).every((port) => before.includes(port));
}
