import type { Node, Pod, Service } from "#api/generated/core/v1.ts";
import type { Endpoint, EndpointPort } from "#api/generated/discovery/v1.ts";
import { isPodReady } from "#component-helpers/pod/pod-conditions.ts";
import { findPort, shouldPodBeInEndpoints, shouldSetHostname } from "../../framework/service-endpoints.ts";

const ZONE_LABEL = "topology.kubernetes.io/zone";

/** Endpoints that share their ports, and so their slices. */
export interface PortGroup {
  readonly ports: readonly EndpointPort[];
  readonly endpoints: Endpoint[];
}

/** `IPv4` or `IPv6`, as in EndpointSlices. */
export type AddressType = "IPv4" | "IPv6";

/** The address families of a Service's endpoints. */
export function addressTypes({ spec }: Service): readonly AddressType[] {
  const families = spec?.ipFamilies ?? [];
  if (families.length > 0) return families.map((family) => (family === "IPv6" ? "IPv6" : "IPv4"));
  return [spec?.clusterIP?.includes(":") ? "IPv6" : "IPv4"];
}

/**
 * What a Service's slices should hold, by ports. A pod on a node that is not known is left out, unless the Service
 * publishes everything.
 */
export function desiredEndpoints(
  service: Service,
  pods: readonly Pod[],
  nodeOf: (name: string) => Node | undefined,
  addressType: AddressType,
): Map<string, PortGroup> {
  const groups = new Map<string, PortGroup>();
  for (const pod of pods) {
    const desired = desiredEndpoint(service, pod, nodeOf, addressType);
    if (desired === undefined) continue;
    const { endpoint, ports, portsKey: key } = desired;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { ports, endpoints: [endpoint] });
    else group.endpoints.push(endpoint);
  }
  return groups;
}

/** What a pod comes to behind a Service. */
export interface DesiredEndpoint {
  readonly endpoint: Endpoint;
  readonly ports: readonly EndpointPort[];
  /** Of the ports. */
  readonly portsKey: string;
}

/** What one pod comes to; undefined for nothing. */
export function desiredEndpoint(
  service: Service,
  pod: Pod,
  nodeOf: (name: string) => Node | undefined,
  addressType: AddressType,
): DesiredEndpoint | undefined {
  if (!shouldPodBeInEndpoints(pod, true)) return undefined;
  const node = nodeOf(pod.spec.nodeName ?? "");
  if (node === undefined && !service.spec?.publishNotReadyAddresses) return undefined;
  const endpoint = toEndpoint(pod, node?.metadata.labels?.[ZONE_LABEL], service, addressType);
  if (endpoint === undefined) return undefined;
  const ports = endpointPorts(service, pod);
  return { endpoint, ports, portsKey: portsKey(ports) };
}

/** Equal for equal sets of ports. */
export function portsKey(ports: readonly EndpointPort[]): string {
  return ports
    .map(({ name = "", port, protocol = "TCP", appProtocol }) =>
      JSON.stringify([name, port ?? null, protocol, appProtocol ?? null]),
    )
    .sort()
    .join();
}

function endpointPorts(service: Service, pod: Pod): EndpointPort[] {
  const ports: EndpointPort[] = [];
  for (const servicePort of service.spec?.ports ?? []) {
    const port = findPort(pod, servicePort);
    if (port === undefined) continue;
    const { name = "", protocol = "TCP", appProtocol } = servicePort;
    ports.push({ name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) });
  }
  return ports;
}

function toEndpoint(pod: Pod, zone: string | undefined, service: Service, addressType: AddressType): Endpoint | undefined {
  const wantsV6 = addressType === "IPv6";
  const addresses = (pod.status?.podIPs ?? [])
    .map(({ ip }) => ip ?? "")
    .filter((ip) => ip !== "" && ip.includes(":") === wantsV6);
  if (addresses.length === 0) return undefined;
  const serving = isPodReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const { namespace = "", name = "", uid = "" } = pod.metadata;
  const nodeName = pod.spec.nodeName ?? "";
  const hints = ready ? trafficHints(service, nodeName, zone) : undefined;
  return {
    addresses,
    conditions: { ready, serving, terminating },
    ...(shouldSetHostname(pod, service) && pod.spec.hostname !== undefined ? { hostname: pod.spec.hostname } : {}),
    targetRef: { kind: "Pod", namespace, name, uid },
    ...(nodeName === "" ? {} : { nodeName }),
    ...(zone === undefined ? {} : { zone }),
    ...(hints === undefined ? {} : { hints }),
  };
}

/** `spec.trafficDistribution` (KEP-4444, KEP-3015). */
function trafficHints(service: Service, nodeName: string, zone: string | undefined): Endpoint["hints"] {
  const distribution = service.spec?.trafficDistribution;
  const forZones = zone === undefined ? {} : { forZones: [{ name: zone }] };
  if (distribution === "PreferSameNode" && nodeName !== "") return { ...forZones, forNodes: [{ name: nodeName }] };
  if ((distribution === "PreferClose" || distribution === "PreferSameZone") && zone !== undefined) return forZones;
  return undefined;
}
