import type { EndpointAddress, EndpointPort, EndpointSubset, Pod, Service } from "#api/generated/core/v1.ts";
import { isPodReady } from "#component-helpers/pod/pod-conditions.ts";
import { findPort, isHeadless, shouldPodBeInEndpoints, shouldSetHostname } from "../../framework/service-endpoints.ts";

interface Entry {
  readonly address: EndpointAddress;
  readonly ready: boolean;
  readonly ports: Map<string, EndpointPort>;
}

/** The subsets of a Service's Endpoints, in canonical form: addresses with the same ports together, everything sorted. */
export function endpointSubsets(service: Service, pods: readonly Pod[]): readonly EndpointSubset[] {
  const publishAll = service.spec?.publishNotReadyAddresses === true;
  const servicePorts = service.spec?.ports ?? [];
  const entries: Entry[] = [];
  for (const pod of pods) {
    if (!shouldPodBeInEndpoints(pod, publishAll)) continue;
    const address = toAddress(service, pod);
    if (address === undefined) continue;
    const ports = new Map<string, EndpointPort>();
    for (const { name, protocol = "TCP", appProtocol, ...servicePort } of servicePorts) {
      const port = findPort(pod, { ...servicePort, protocol });
      if (port === undefined) continue;
      const found: EndpointPort = {
        ...(name ? { name } : {}),
        port,
        protocol,
        ...(appProtocol === undefined ? {} : { appProtocol }),
      };
      ports.set(JSON.stringify(found), found);
    }
    const portless = servicePorts.length === 0 && isHeadless(service);
    if (ports.size > 0 || portless) entries.push({ address, ready: publishAll || isPodReady(pod), ports });
  }
  return repack(entries);
}

function repack(entries: readonly Entry[]): readonly EndpointSubset[] {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const key = [...entry.ports.keys()].sort().join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [entry]);
    else group.push(entry);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) => {
      const of = (ready: boolean): EndpointAddress[] =>
        group
          .filter((entry) => entry.ready === ready)
          .map(({ address }) => address)
          .sort(byAddress);
      const addresses = of(true);
      const notReadyAddresses = of(false);
      const ports = [...(group[0]?.ports ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, port]) => port);
      return {
        ...(addresses.length === 0 ? {} : { addresses }),
        ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses }),
        ...(ports.length === 0 ? {} : { ports }),
      };
    });
}

function byAddress(a: EndpointAddress, b: EndpointAddress): number {
  if (a.ip !== b.ip) return a.ip < b.ip ? -1 : 1;
  return (a.targetRef?.uid ?? "") < (b.targetRef?.uid ?? "") ? -1 : 1;
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
