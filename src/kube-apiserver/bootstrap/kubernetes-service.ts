import type { Endpoints, Service } from "#api/generated/core/v1.ts";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import type { ServiceCIDR } from "#api/generated/networking/v1.ts";

/** Where clients inside the cluster reach the API. */
export interface AdvertisedAddress {
  /** First address of the service range. */
  readonly clusterIp: string;
  /** The networks of Services, the default one first. */
  readonly serviceCidrs: readonly string[];
  /** Of the default family. */
  readonly ip: string;
  readonly port: number;
}

/** Service `default/kubernetes`. */
export function kubernetesService({ clusterIp, port }: AdvertisedAddress): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "kubernetes", namespace: "default", labels: { component: "apiserver", provider: "kubernetes" } },
    spec: {
      clusterIP: clusterIp,
      clusterIPs: [clusterIp],
      ipFamilies: [clusterIp.includes(":") ? "IPv6" : "IPv4"],
      ipFamilyPolicy: "SingleStack",
      type: "ClusterIP",
      ports: [{ name: "https", protocol: "TCP", port: 443, targetPort: port }],
    },
  };
}

/** The Endpoints of `default/kubernetes`, which no controller keeps: each API server enters itself. */
export function kubernetesEndpoints(ips: readonly string[], port: number): Endpoints {
  return {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { name: "kubernetes", namespace: "default", labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
    subsets: [{ addresses: ips.map((ip) => ({ ip })), ports: [{ name: "https", port, protocol: "TCP" }] }],
  };
}

/** The EndpointSlice of `default/kubernetes`, whose Service has one family only. */
export function kubernetesEndpointSlice(ips: readonly string[], port: number): EndpointSlice {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "kubernetes", namespace: "default", labels: { "kubernetes.io/service-name": "kubernetes" } },
    addressType: ips[0]?.includes(":") ? "IPv6" : "IPv4",
    endpoints: ips.map((ip) => ({ addresses: [ip], conditions: { ready: true } })),
    ports: [{ name: "https", port, protocol: "TCP" }],
  };
}

/** The ServiceCIDR that says where the addresses of Services come from (KEP-1880). */
export function kubernetesServiceCidr({ serviceCidrs }: AdvertisedAddress, now: string): ServiceCIDR {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "ServiceCIDR",
    metadata: { name: "kubernetes", finalizers: ["networking.k8s.io/service-cidr-finalizer"] },
    spec: { cidrs: [...serviceCidrs] },
    status: {
      conditions: [
        { type: "Ready", status: "True", lastTransitionTime: now, reason: "", message: "Kubernetes Service CIDR is ready" },
      ],
    },
  };
}
