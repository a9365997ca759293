import type { Service } from "#api/generated/core/v1.ts";
import { addressesOf, type IpFamily, networkOf } from "./ip-family.ts";

/** Where a Service says that others look after it, or that nobody needs to. */
const OTHER_PROXY_LABEL = "service.kubernetes.io/service-proxy-name";
const HEADLESS_LABEL = "service.kubernetes.io/headless";
/** What a Service with affinity says nothing else of, in seconds. */
const AFFINITY_SECONDS = 10_800;

/** A transport protocol, as kernel tools write it. */
export type Protocol = "tcp" | "udp" | "sctp";

/** One port of a Service as one family of addresses sees it (upstream's `ServicePort`). */
export interface ProxiedPort {
  readonly namespace: string;
  readonly service: string;
  /** The port's name; empty where it has none. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly clusterIp: string;
  readonly port: number;
  /** 0 for none. */
  readonly nodePort: number;
  readonly externalIps: readonly string[];
  /** Addresses of load balancers that hand packets on as they are. */
  readonly loadBalancerIps: readonly string[];
  /** Empty: from everywhere. */
  readonly sourceRanges: readonly string[];
  /** How long a client stays with an endpoint; absent without affinity. */
  readonly affinitySeconds?: number;
  readonly internalLocal: boolean;
  readonly externalLocal: boolean;
  /** 0 for none. */
  readonly healthCheckNodePort: number;
}

/** Of which Service's slices and rules something is: `namespace/name`. */
export function serviceKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** `namespace/name:port`, as rules' comments and logs have it. */
export function portLabel({ namespace, service, name }: ProxiedPort): string {
  return name === "" ? `${namespace}/${service}` : `${namespace}/${service}:${name}`;
}

/** Whether it can be reached from outside the cluster. */
export function isExternal(port: ProxiedPort): boolean {
  return port.nodePort !== 0 || port.externalIps.length > 0 || port.loadBalancerIps.length > 0;
}

/** Whether some of its traffic may go to any endpoint: that of clients in the cluster does, even to outer addresses with policy Local. */
export function usesClusterEndpoints(port: ProxiedPort): boolean {
  return !port.internalLocal || isExternal(port);
}

/** Whether some of its traffic may only go to endpoints of the node. */
export function usesLocalEndpoints(port: ProxiedPort): boolean {
  return port.internalLocal || (port.externalLocal && isExternal(port));
}

/** The ports of a Service that have an address of the family. None of Services without address, and of those that others look after. */
export function proxiedPorts(service: Service, family: IpFamily): readonly ProxiedPort[] {
  const { metadata, spec = {}, status } = service;
  const { labels = {} } = metadata;
  if (spec.type === "ExternalName" || OTHER_PROXY_LABEL in labels || HEADLESS_LABEL in labels) return [];
  const [clusterIp] = addressesOf(family, spec.clusterIPs ?? [spec.clusterIP ?? ""]);
  if (clusterIp === undefined) return [];
  const isReachable = spec.type === "LoadBalancer" || spec.type === "NodePort" || (spec.externalIPs ?? []).length > 0;
  const externalLocal = spec.externalTrafficPolicy === "Local" && isReachable;
  const ingress = (status?.loadBalancer?.ingress ?? []).filter(({ ipMode }) => ipMode === undefined || ipMode === "VIP");
  const shared = {
    namespace: metadata.namespace ?? "",
    service: metadata.name ?? "",
    clusterIp,
    externalIps: addressesOf(family, spec.externalIPs ?? []),
    loadBalancerIps: addressesOf(
      family,
      ingress.map(({ ip = "" }) => ip),
    ),
    sourceRanges: [...new Set((spec.loadBalancerSourceRanges ?? []).flatMap((range) => networkOf(family, range) ?? []))],
    ...(spec.sessionAffinity === "ClientIP"
      ? { affinitySeconds: spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY_SECONDS }
      : {}),
    internalLocal: spec.internalTrafficPolicy === "Local",
    externalLocal,
    healthCheckNodePort: spec.type === "LoadBalancer" && externalLocal ? (spec.healthCheckNodePort ?? 0) : 0,
  };
  return (spec.ports ?? []).map(({ name = "", protocol = "TCP", port, nodePort = 0 }) => ({
    ...shared,
    name,
    protocol: protocol.toLowerCase() as Protocol,
    port,
    nodePort,
  }));
}
