import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import { addressOf, hostPort, type IpFamily } from "./ip-family.ts";
import type { Protocol } from "./proxied-port.ts";

/** One address behind a port of a Service (upstream's `Endpoint`). */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** On this node. */
  readonly isLocal: boolean;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** Names of zones and nodes whose clients it is meant for; empty where nothing is said. */
  readonly zoneHints: readonly string[];
  readonly nodeHints: readonly string[];
}

/** `address:port`, by which an endpoint is told from the others of its port. */
export function endpointKey({ address, port }: Endpoint): string {
  return hostPort(address, port);
}

/** Under which a port of a slice meets that of its Service. */
export function slicePortKey(name: string, protocol: Protocol): string {
  return `${protocol}/${name}`;
}

/**
 * The endpoints of a Service by {@link slicePortKey}, each address and port once, in a fixed order. One that moves between slices
 * shows in both for a while: what a local one says counts then, else the first slice by name.
 */
export function endpointsByPort(
  slices: readonly EndpointSlice[],
  family: IpFamily,
  nodeName: string,
): ReadonlyMap<string, readonly Endpoint[]> {
  const found = new Map<string, Map<string, Endpoint>>();
  const ordered = slices
    .filter(({ addressType }) => addressType === family)
    .sort((a, b) => compare(a.metadata.name ?? "", b.metadata.name ?? ""));
  for (const slice of ordered) {
    for (const { name = "", protocol = "TCP", port = 0 } of slice.ports ?? []) {
      if (port === 0) continue;
      const key = slicePortKey(name, protocol.toLowerCase() as Protocol);
      const known = found.get(key) ?? new Map<string, Endpoint>();
      found.set(key, known);
      for (const endpoint of endpointsOf(slice, port, family, nodeName)) {
        const id = endpointKey(endpoint);
        if (!known.has(id) || (endpoint.isLocal && !known.get(id)?.isLocal)) known.set(id, endpoint);
      }
    }
  }
  const sorted = ([key, known]: [string, Map<string, Endpoint>]): [string, readonly Endpoint[]] => [
    key,
    [...known].sort(([a], [b]) => compare(a, b)).map(([, endpoint]) => endpoint),
  ];
  return new Map([...found].map(sorted));
}

function endpointsOf(slice: EndpointSlice, port: number, family: IpFamily, nodeName: string): readonly Endpoint[] {
  return (slice.endpoints ?? []).flatMap(({ addresses, conditions = {}, nodeName: on, hints = {} }) => {
    // The API gives consumers the first address only: all of them reach the same endpoint.
    const address = addressOf(family, addresses[0] ?? "");
    if (address === undefined) return [];
    const ready = conditions.ready ?? true;
    return [
      {
        address,
        port,
        isLocal: on !== undefined && on === nodeName,
        ready,
        serving: conditions.serving ?? ready,
        terminating: conditions.terminating ?? false,
        zoneHints: (hints.forZones ?? []).map(({ name }) => name),
        nodeHints: (hints.forNodes ?? []).map(({ name }) => name),
      },
    ];
  });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
