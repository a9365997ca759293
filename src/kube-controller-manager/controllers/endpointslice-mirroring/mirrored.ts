import type { EndpointAddress, Endpoints } from "#api/generated/core/v1.ts";
import type { Endpoint, EndpointPort, EndpointSlice } from "#api/generated/discovery/v1.ts";
import { parseIp } from "#apimachinery/validation/ip.ts";
import { repackSubsets } from "../../framework/endpoint-subsets.ts";
import { portsKey } from "../endpointslice/desired-endpoints.ts";

/** Addresses that are mirrored of one subset; upstream's default of `--mirroring-max-endpoints-per-subset`. */
export const ENDPOINTS_PER_SUBSET_MAX = 1000;

/** What one slice is to hold. */
export interface Mirrored {
  readonly addressType: "IPv4" | "IPv6";
  readonly ports: readonly EndpointPort[];
  readonly endpoints: Endpoint[];
}

/** The slices that Endpoints want, and what they leave out. */
export interface Mirror {
  /** By {@link mirrorKey}. */
  readonly wanted: ReadonlyMap<string, Mirrored>;
  readonly invalidAddresses: number;
  /** The invalid ones among them. */
  readonly skippedAddresses: number;
}

/** Slices with the same key hold the same ports and the same kind of addresses. */
export function mirrorKey({ addressType, ports }: Pick<EndpointSlice, "addressType" | "ports">): string {
  return `${addressType} ${portsKey(ports ?? [])}`;
}

/** Reads Endpoints as slices: one for each subset and address family. */
export function mirror({ subsets = [] }: Endpoints): Mirror {
  const wanted = new Map<string, Mirrored>();
  let invalidAddresses = 0;
  let skippedAddresses = 0;
  for (const subset of repackSubsets(subsets)) {
    const ports = (subset.ports ?? []).map(({ name = "", port, protocol = "TCP", appProtocol }) => ({
      name,
      port,
      protocol,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    }));
    const all = [
      ...(subset.addresses ?? []).map((address) => toEndpoint(address, true)),
      ...(subset.notReadyAddresses ?? []).map((address) => toEndpoint(address, false)),
    ];
    const keys = { IPv4: mirrorKey({ addressType: "IPv4", ports }), IPv6: mirrorKey({ addressType: "IPv6", ports }) };
    let added = 0;
    for (const endpoint of all) {
      if (added >= ENDPOINTS_PER_SUBSET_MAX) break;
      const addressType = familyOf(endpoint.addresses?.[0] ?? "");
      if (addressType === undefined) {
        invalidAddresses++;
        continue;
      }
      const key = keys[addressType];
      const slice = wanted.get(key) ?? { addressType, ports, endpoints: [] };
      wanted.set(key, slice);
      slice.endpoints.push(endpoint);
      added++;
    }
    skippedAddresses += all.length - added;
  }
  return { wanted, invalidAddresses, skippedAddresses };
}

function familyOf(ip: string): "IPv4" | "IPv6" | undefined {
  if (parseIp(ip) === undefined) return undefined;
  return ip.includes(":") ? "IPv6" : "IPv4";
}

function toEndpoint({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname ? { hostname } : {}),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef }),
  };
}
