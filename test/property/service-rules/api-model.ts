import { BlockList } from "node:net";
import type { Service } from "#api/generated/core/v1.ts";
import type { Endpoint, EndpointSlice } from "#api/generated/discovery/v1.ts";
import type { Packet } from "./packet.ts";

/** A Service with its one slice of the family. */
export interface Behind {
  readonly service: Service;
  readonly slice: EndpointSlice;
}

/** The place from which packets are looked at. */
export interface Here {
  readonly node: string;
  readonly zone: string;
  readonly local: readonly string[];
  /** Where node ports are open. */
  readonly nodePortAddresses: readonly string[];
  readonly podNetwork: string;
  /** Source ranges are judged even where there is no endpoint to go to; otherwise everybody is rejected then. */
  readonly judgesSourcesFirst: boolean;
}

/** What the API's documents say of a packet: the outcomes that may be, of which chance takes one. Undefined: no Service is meant. */
export function meant(all: readonly Behind[], here: Here, packet: Packet): readonly string[] | undefined {
  for (const { service, slice } of all) {
    const { spec = {}, status } = service;
    const port = (spec.ports ?? []).find((candidate) => (candidate.protocol ?? "TCP").toLowerCase() === packet.protocol);
    if (port === undefined || slice === undefined) continue;
    const balancers = (status?.loadBalancer?.ingress ?? []).map(({ ip = "" }) => ip);
    const isPort = packet.port === port.port;
    const isInternal = isPort && packet.destination === spec.clusterIP;
    const isBalancer = isPort && balancers.includes(packet.destination);
    const isExternal = isPort && (spec.externalIPs ?? []).includes(packet.destination);
    const isNodePort = packet.port === port.nodePort && here.nodePortAddresses.includes(packet.destination);
    if (!isInternal && !isBalancer && !isExternal && !isNodePort) continue;
    const ranges = spec.loadBalancerSourceRanges ?? [];
    if (isBalancer && ranges.length > 0 && !mayPass(ranges, balancers, here, packet)) {
      return here.judgesSourcesFirst || usable(slice.endpoints ?? []).length > 0 ? ["drop"] : ["reject"];
    }
    return destinations(service, slice, here, packet, isInternal);
  }
  return undefined;
}

/** A balancer's own addresses stand for the node, where that may come. */
function mayPass(ranges: readonly string[], balancers: readonly string[], here: Here, { source }: Packet): boolean {
  if (ranges.some((range) => lies(source, range))) return true;
  return balancers.includes(source) && ranges.some((range) => lies(here.nodePortAddresses[0] ?? "", range));
}

function destinations(
  { spec = {} }: Service,
  slice: EndpointSlice,
  here: Here,
  packet: Packet,
  isInternal: boolean,
): readonly string[] {
  const endpoints = slice.endpoints ?? [];
  const isFromPod = lies(packet.source, here.podNetwork);
  const isFromNode = here.local.includes(packet.source);
  const policy = isInternal ? spec.internalTrafficPolicy : spec.externalTrafficPolicy;
  // Clients in the cluster that use an outer address are not held to the outer policy.
  const isLocal = policy === "Local" && (isInternal || (!isFromPod && !isFromNode));
  const chosen = isLocal ? usable(endpoints.filter(({ nodeName }) => nodeName === here.node)) : near(endpoints, here);
  if (chosen.length === 0) return [usable(endpoints).length === 0 ? "reject" : "drop"];
  const keepsSource = isInternal ? isFromPod : spec.externalTrafficPolicy === "Local" && !isFromNode;
  return chosen
    .map(({ addresses: [address = ""] }) => {
      const to = `${address.includes(":") ? `[${address}]` : address}:${slice.ports?.[0]?.port}`.replaceAll(/[[\]]/g, "");
      return !keepsSource || address === packet.source ? `${to} masqueraded` : to;
    })
    .sort();
}

function isReady({ conditions }: Endpoint): boolean {
  return conditions?.ready ?? true;
}

/** The ready ones; those that end where there are none. */
function usable(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const ready = endpoints.filter(isReady);
  if (ready.length > 0) return ready;
  return endpoints.filter(({ conditions }) => conditions?.serving === true && conditions.terminating === true);
}

function near(endpoints: readonly Endpoint[], { node, zone }: Here): readonly Endpoint[] {
  const ready = endpoints.filter(isReady);
  const byNode = ready.map(({ hints }) => (hints?.forNodes ?? []).map(({ name }) => name));
  const byZone = ready.map(({ hints }) => (hints?.forZones ?? []).map(({ name }) => name));
  const hinted = (hints: readonly (readonly string[])[], own: string): readonly Endpoint[] =>
    hints.every((names) => names.length > 0) ? ready.filter((_, i) => hints[i]?.includes(own)) : [];
  if (hinted(byNode, node).length > 0) return hinted(byNode, node);
  if (hinted(byZone, zone).length > 0) return hinted(byZone, zone);
  return usable(endpoints);
}

function lies(address: string, network: string): boolean {
  const [base = "", length = ""] = network.split("/");
  if (address.includes(":") !== base.includes(":")) return false;
  const family = base.includes(":") ? "ipv6" : "ipv4";
  const list = new BlockList();
  list.addSubnet(base, Number(length), family);
  return list.check(address, family);
}
