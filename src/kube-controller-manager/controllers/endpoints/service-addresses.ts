import type { EndpointAddress, EndpointPort, EndpointSubset, Pod, Service } from "#api/generated/core/v1.ts";
import { byAddress, repackSubsets } from "../../framework/endpoint-subsets.ts";
import { podSubset } from "./subsets.ts";

/** Pods that offer the same ports. */
interface Group {
  readonly key: string;
  /** As subsets have them. */
  readonly ports: readonly EndpointPort[];
  /** Sorted, as in subsets. */
  readonly ready: EndpointAddress[];
  readonly notReady: EndpointAddress[];
}

/** What a pod comes to. */
interface Offer {
  readonly address: EndpointAddress;
  readonly group: Group;
  readonly isReady: boolean;
}

/**
 * The addresses of a Service's pods, sorted, kept from change to change: a change costs what changed, as long as all pods
 * offer the same ports. Good for one state of the Service: another one changes everything.
 */
export class ServiceAddresses {
  readonly service: Service;
  readonly #offers = new Map<string, Offer | undefined>();
  readonly #groups = new Map<string, Group>();

  constructor(service: Service, pods: readonly Pod[]) {
    this.service = service;
    for (const pod of pods) {
      const offer = this.#take(pod.metadata.name ?? "", pod);
      if (offer !== undefined) listOf(offer).push(offer.address);
    }
    for (const { ready, notReady } of this.#groups.values()) for (const list of [ready, notReady]) list.sort(byAddress);
  }

  /** How many pods it takes for the Service's. */
  get pods(): number {
    return this.#offers.size;
  }

  /** Takes a pod as it is now; undefined once the Service selects it no longer. */
  setPod(name: string, pod: Pod | undefined): void {
    const before = this.#offers.get(name);
    if (before !== undefined) this.#remove(before);
    if (pod === undefined) {
      this.#offers.delete(name);
      return;
    }
    const offer = this.#take(name, pod);
    if (offer === undefined) return;
    const list = listOf(offer);
    list.splice(placeOf(list, offer.address), 0, offer.address);
  }

  /** In canonical form. */
  subsets(): readonly EndpointSubset[] {
    const [group, ...others] = this.#groups.values();
    if (group === undefined) return [];
    return others.length === 0 ? [subsetOf(group)] : repackSubsets([group, ...others].map(subsetOf));
  }

  #take(name: string, pod: Pod): Offer | undefined {
    const subset = podSubset(this.service, pod);
    const { addresses = [], notReadyAddresses = [] } = subset ?? {};
    const [address] = [...addresses, ...notReadyAddresses];
    const offer = subset && address && { address, group: this.#group(subset), isReady: addresses.length > 0 };
    this.#offers.set(name, offer);
    return offer;
  }

  #group(subset: EndpointSubset): Group {
    const key = JSON.stringify(subset.ports);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const group = { key, ports: repackSubsets([subset])[0]?.ports ?? [], ready: [], notReady: [] };
    this.#groups.set(key, group);
    return group;
  }

  #remove(offer: Offer): void {
    const { group, address } = offer;
    const list = listOf(offer);
    list.splice(placeOf(list, address), 1);
    if (group.ready.length + group.notReady.length === 0) this.#groups.delete(group.key);
  }
}

function listOf({ group, isReady }: Offer): EndpointAddress[] {
  return isReady ? group.ready : group.notReady;
}

function subsetOf({ ports, ready, notReady }: Group): EndpointSubset {
  return {
    // Copies: what is written now is read while others change already.
    ...(ready.length === 0 ? {} : { addresses: [...ready] }),
    ...(notReady.length === 0 ? {} : { notReadyAddresses: [...notReady] }),
    ...(ports.length === 0 ? {} : { ports }),
  };
}

/** Where an address stands in a sorted list, or would. */
function placeOf(list: readonly EndpointAddress[], address: EndpointAddress): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byAddress(list[middle] ?? address, address) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
