import type { Endpoint, EndpointSlice } from "#api/generated/discovery/v1.ts";
import type { Random } from "#base/random.ts";

const SERVICE_NAME = "kubernetes.io/service-name";

/** What an endpoint has to be like. */
export interface EndpointWish {
  /** In the namespace of the slices. */
  readonly service: string;
  /** The port's name; empty for the one without. */
  readonly port: string;
  /** `IPv4` or `IPv6`, where there are both. */
  readonly family: string;
  readonly random: Random;
  readonly accepts: (endpoint: Endpoint) => boolean;
}

/** One of the ready endpoints of a service, by chance; those of the family that is wished for come first (upstream's `RandomEndpoint`). */
export function chooseEndpoint(
  slices: readonly EndpointSlice[],
  { service, port, family, random, accepts }: EndpointWish,
): { readonly address: string; readonly port: number } | undefined {
  const own = slices
    .filter(({ metadata }) => metadata?.labels?.[SERVICE_NAME] === service)
    .map((slice) => ({ slice, order: (slice.addressType === family ? 0 : 1) + random.float() }))
    .sort((a, b) => a.order - b.order);
  for (const { slice } of own) {
    const { endpoints = [] } = slice;
    const number = slice.ports?.find((each) => (each.name ?? "") === port && each.port !== undefined)?.port;
    if (number === undefined || endpoints.length === 0) continue;
    const start = random.int(endpoints.length);
    for (let i = 0; i < endpoints.length; i++) {
      const endpoint = endpoints[(start + i) % endpoints.length];
      if (endpoint === undefined || endpoint.conditions?.ready === false || !accepts(endpoint)) continue;
      const [address] = endpoint.addresses;
      if (address !== undefined) return { address, port: number };
    }
  }
  return undefined;
}
