import type { Service } from "#api/generated/core/v1.ts";

/** Has cluster IPs, or could have. */
export function needsClusterIp(service: Service): boolean {
  return service.spec.type !== "ExternalName";
}

/** Its ports get node ports when none are given. */
export function allocatesNodePorts(service: Service): boolean {
  const { type, allocateLoadBalancerNodePorts } = service.spec;
  return type === "NodePort" || (type === "LoadBalancer" && allocateLoadBalancerNodePorts !== false);
}

/** Its ports may hold node ports. */
export function hasNodePortType(service: Service): boolean {
  return service.spec.type === "NodePort" || service.spec.type === "LoadBalancer";
}

/** A load balancer that sends only to nodes with endpoints checks their health on a port of its own. */
export function needsHealthCheck(service: Service): boolean {
  return service.spec.type === "LoadBalancer" && service.spec.externalTrafficPolicy === "Local";
}

/** Reachable from outside the cluster. */
export function isExternallyAccessible(service: Service): boolean {
  return hasNodePortType(service) || (service.spec.type === "ClusterIP" && (service.spec.externalIPs ?? []).length > 0);
}

/** `clusterIP: None`. */
export function isHeadless(service: Service): boolean {
  const ips = service.spec.clusterIPs ?? [];
  return ips.length === 1 && ips[0] === "None";
}

/** All node ports that the spec names. */
export function nodePortsOf(service: Service): number[] {
  return (service.spec.ports ?? []).flatMap((port) => (port.nodePort ? [port.nodePort] : []));
}

/** Same strings in the same order; absent is empty. */
export function sameList(a: readonly string[] = [], b: readonly string[] = []): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
