import type { EndpointAddress, EndpointPort, EndpointSubset, Pod, Service } from "#api/generated/core/v1.ts";
import { isPodReady } from "#component-helpers/pod/pod-conditions.ts";
import { repackSubsets } from "../../framework/endpoint-subsets.ts";
import { findPort, isHeadless, shouldPodBeInEndpoints, shouldSetHostname } from "../../framework/service-endpoints.ts";

/** The subsets of a Service's Endpoints, in canonical form. */
export function endpointSubsets(service: Service, pods: readonly Pod[]): readonly EndpointSubset[] {
  return repackSubsets(pods.flatMap((pod) => podSubset(service, pod) ?? []));
}

/** What one pod comes to: a subset of one address; undefined for nothing. */
export function podSubset(service: Service, pod: Pod): EndpointSubset | undefined {
  const publishAll = service.spec?.publishNotReadyAddresses === true;
  const servicePorts = service.spec?.ports ?? [];
  if (!shouldPodBeInEndpoints(pod, publishAll)) return undefined;
  const address = toAddress(service, pod);
  if (address === undefined) return undefined;
  const ports: EndpointPort[] = [];
  for (const { name, protocol = "TCP", appProtocol, ...servicePort } of servicePorts) {
    const port = findPort(pod, { ...servicePort, protocol });
    if (port === undefined) continue;
    const found: EndpointPort = {
      ...(name ? { name } : {}),
      port,
      protocol,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    };
    ports.push(found);
  }
  const portless = servicePorts.length === 0 && isHeadless(service);
  if (ports.length === 0 && !portless) return undefined;
  const ready = publishAll || isPodReady(pod);
  return ready ? { addresses: [address], ports } : { notReadyAddresses: [address], ports };
}

function toAddress(service: Service, pod: Pod): EndpointAddress | undefined {
  const wantsV6 = service.spec?.ipFamilies?.[0] === "IPv6";
  const ips = [...(pod.status?.podIPs ?? []).map(({ ip }) => ip), pod.status?.podIP];
  const ip = ips.find((candidate) => candidate !== undefined && candidate !== "" && candidate.includes(":") === wantsV6);
  if (ip === undefined) return undefined;
  const { namespace = "", name = "", uid = "" } = pod.metadata;
  const { nodeName, hostname } = pod.spec;
  return {
    ip,
    ...(shouldSetHostname(pod, service) && hostname !== undefined ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    targetRef: { kind: "Pod", namespace, name, uid },
  };
}
