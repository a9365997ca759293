import type { EndpointAddress, EndpointPort, EndpointSubset } from "#api/generated/core/v1.ts";

interface State {
  readonly address: EndpointAddress;
  ready: boolean;
}

/** Stands for the port of subsets that have none. */
const NO_PORT = "";

/**
 * The canonical form of subsets: ports that the same addresses offer stand together, everything is sorted; an address
 * that is not ready for a port anywhere is not ready for it. After upstream's `RepackSubsets`.
 */
export function repackSubsets(subsets: readonly EndpointSubset[]): readonly EndpointSubset[] {
  const ports = new Map<string, EndpointPort>();
  const byPort = new Map<string, Map<string, State>>();
  for (const subset of subsets) {
    const keys = (subset.ports ?? []).map((port) => {
      const key = portKey(port);
      ports.set(key, port);
      return key;
    });
    for (const key of keys.length === 0 ? [NO_PORT] : keys) {
      const states = byPort.get(key) ?? new Map<string, State>();
      byPort.set(key, states);
      for (const address of subset.addresses ?? []) note(states, address, true);
      for (const address of subset.notReadyAddresses ?? []) note(states, address, false);
    }
  }
  const byAddresses = new Map<string, { readonly states: ReadonlyMap<string, State>; readonly ports: EndpointPort[] }>();
  for (const [key, states] of [...byPort].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const addressesKey = JSON.stringify([...states].map(([address, { ready }]) => [address, ready]).sort());
    const group = byAddresses.get(addressesKey) ?? { states, ports: [] };
    byAddresses.set(addressesKey, group);
    const port = ports.get(key);
    if (port !== undefined) group.ports.push(port);
  }
  return [...byAddresses.values()].filter(({ states }) => states.size > 0).map(({ states, ports: own }) => toSubset(states, own));
}

function toSubset(states: ReadonlyMap<string, State>, ports: readonly EndpointPort[]): EndpointSubset {
  const of = (wanted: boolean): EndpointAddress[] =>
    [...states.values()]
      .filter(({ ready }) => ready === wanted)
      .map(({ address }) => address)
      .sort(byAddress);
  const addresses = of(true);
  const notReadyAddresses = of(false);
  return {
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses }),
    ...(ports.length === 0 ? {} : { ports }),
  };
}

function note(states: Map<string, State>, address: EndpointAddress, ready: boolean): void {
  const key = JSON.stringify([address.ip, address.targetRef?.uid ?? ""]);
  const state = states.get(key);
  if (state === undefined) states.set(key, { address, ready });
  else state.ready &&= ready;
}

function portKey({ name = "", port, protocol = "TCP", appProtocol = "" }: EndpointPort): string {
  return JSON.stringify([name, port, protocol, appProtocol]);
}

/** The order of addresses in subsets. */
export function byAddress(a: EndpointAddress, b: EndpointAddress): number {
  if (a.ip !== b.ip) return a.ip < b.ip ? -1 : 1;
  return (a.targetRef?.uid ?? "") < (b.targetRef?.uid ?? "") ? -1 : 1;
}
