import type { Service } from "#api/generated/core/v1.ts";
import type { Endpoint, EndpointPort, EndpointSlice } from "#api/generated/discovery/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type DesiredEndpoint, portsKey } from "./desired-endpoints.ts";
import { type ChangedSlice, endpointKey, NO_PLAN, type Plan, pack, sliceLabels } from "./plan.ts";

interface Ports {
  readonly ports: readonly EndpointPort[];
  readonly key: string;
}

/** A pod that the Service selects. */
interface Selected {
  /** Those that came first go first. */
  readonly order: number;
  readonly key: string;
  /** Undefined where it comes to nothing. */
  readonly ports: Ports | undefined;
  endpoint: Endpoint | undefined;
}

interface Known {
  readonly order: number;
  readonly slice: EndpointSlice;
  readonly portsKey: string;
}

/**
 * Where the endpoints of a Service stand, of one family of addresses: kept from change to change, so that a change costs
 * what changed, however many endpoints there are. It knows nothing of writes: what was asked for is looked at when it
 * comes back as a slice. Where more than single endpoints of one set of ports change it gives up, and everything has to
 * be looked at; {@link plan} says so.
 */
export class SliceLayout {
  readonly #labels: Record<string, string>;
  readonly #pods = new Map<string, Selected>();
  readonly #wanted = new Map<string, Selected>();
  readonly #slices = new Map<string, Known>();
  /** By their key. Most pods have the same. */
  readonly #ports = new Map<string, Ports>();
  /** Names of the slices where endpoints stand, wanted or not. */
  readonly #places = new Map<string, string>();
  /** Wanted endpoints that are in no slice. */
  readonly #missing = new Set<string>();
  /** Names of slices that may not be as they should. */
  readonly #suspects = new Set<string>();
  #count = 0;
  #isOdd = false;

  constructor(service: Service) {
    this.#labels = sliceLabels(service);
  }

  /** How many pods it takes for the Service's. */
  get pods(): number {
    return this.#pods.size;
  }

  /** Takes a pod as it is now; undefined once the Service selects it no longer. */
  setPod(name: string, now: { readonly desired: DesiredEndpoint | undefined } | undefined): void {
    const before = this.#pods.get(name);
    const desired = now?.desired;
    const key = desired === undefined ? "" : endpointKey(desired.endpoint);
    if (before?.endpoint !== undefined && before.key !== key) {
      this.#wanted.delete(before.key);
      this.#missing.delete(before.key);
      this.#suspect(before.key);
    }
    if (now === undefined) {
      this.#pods.delete(name);
      return;
    }
    const ports = desired && this.#shared(desired);
    const selected: Selected = { order: before?.order ?? this.#count++, key, ports, endpoint: desired?.endpoint };
    this.#pods.set(name, selected);
    if (desired === undefined) return;
    this.#wanted.set(key, selected);
    if (this.#places.has(key)) this.#suspect(key);
    else this.#missing.add(key);
  }

  /** Takes a slice as it is now; undefined once it is gone. */
  setSlice(name: string, slice: EndpointSlice | undefined): void {
    const before = this.#slices.get(name);
    for (const endpoint of before?.slice.endpoints ?? []) {
      const key = endpointKey(endpoint);
      this.#places.delete(key);
      if (this.#wanted.has(key)) this.#missing.add(key);
    }
    this.#suspects.delete(name);
    if (slice === undefined) {
      this.#slices.delete(name);
      return;
    }
    this.#slices.set(name, { order: before?.order ?? this.#count++, slice, portsKey: portsKey(slice.ports ?? []) });
    this.#suspects.add(name);
    for (const endpoint of slice.endpoints ?? []) {
      const key = endpointKey(endpoint);
      if (this.#places.has(key)) this.#isOdd = true;
      this.#places.set(key, name);
      this.#missing.delete(key);
    }
  }

  /** What is to be done; undefined: not for this one to say, now or later. */
  plan(): Plan | undefined {
    if (this.#isOdd) return undefined;
    if (this.#wanted.size === 0) return this.#isPlaceholder() ? NO_PLAN : undefined;
    const changed: (ChangedSlice & Known)[] = [];
    for (const name of this.#suspects) {
      const known = this.#slices.get(name);
      const endpoints = known === undefined ? [] : this.#kept(known);
      if (known === undefined || endpoints === undefined || endpoints.length === 0) return undefined;
      if (this.#isAsWanted(known, endpoints)) this.#settle(name, known);
      else changed.push({ ...known, endpoints });
    }
    changed.sort(byOrder);
    const rest = [...this.#missing].flatMap((key) => this.#wanted.get(key) ?? []).sort(byOrder);
    const groups = new Set([...changed.map((slice) => slice.portsKey), ...rest.map(({ ports }) => ports?.key)]);
    if (groups.size > 1) return undefined;
    const [group] = groups;
    const content = { ports: rest[0]?.ports?.ports ?? [], endpoints: rest.flatMap(({ endpoint }) => endpoint ?? []) };
    return { ...pack(content, changed, () => this.#others(group, changed)), remove: [] };
  }

  /** Those of its endpoints that are wanted, as they are wanted; undefined where one of them is wanted with other ports. */
  #kept({ slice, portsKey: key }: Known): Endpoint[] | undefined {
    const kept: Endpoint[] = [];
    for (const old of slice.endpoints ?? []) {
      const { endpoint, ports } = this.#wanted.get(endpointKey(old)) ?? {};
      if (endpoint === undefined) continue;
      if (ports?.key !== key) return undefined;
      kept.push(endpoint);
    }
    return kept;
  }

  #isAsWanted({ slice }: Known, endpoints: readonly Endpoint[]): boolean {
    return semanticEqual(slice.endpoints, endpoints) && semanticEqual(slice.metadata.labels, this.#labels);
  }

  /** What is there is what is wanted: it is kept once. */
  #settle(name: string, { slice }: Known): void {
    this.#suspects.delete(name);
    for (const endpoint of slice.endpoints ?? []) {
      const selected = this.#wanted.get(endpointKey(endpoint));
      if (selected !== undefined) selected.endpoint = endpoint;
    }
  }

  /** Slices with the same ports, in the order in which they came. */
  *#others(group: string | undefined, changed: readonly Known[]): Iterable<EndpointSlice> {
    const excluded = new Set(changed.map(({ slice }) => slice));
    for (const { slice, portsKey: ports } of this.#slices.values()) if (ports === group && !excluded.has(slice)) yield slice;
  }

  /** Nothing is wanted, and there is the one slice that says so. */
  #isPlaceholder(): boolean {
    const [only, ...others] = this.#slices.values();
    if (only === undefined || others.length > 0) return false;
    const { endpoints, ports, metadata } = only.slice;
    // A server tells of none as null.
    const isEmpty = (endpoints ?? []).length === 0 && (ports ?? []).length === 0;
    return isEmpty && semanticEqual(metadata.labels, this.#labels);
  }

  /** The slice where an endpoint stands, if there is one. */
  #suspect(key: string): void {
    const name = this.#places.get(key);
    if (name !== undefined) this.#suspects.add(name);
  }

  #shared({ ports, portsKey: key }: DesiredEndpoint): Ports {
    const shared = this.#ports.get(key) ?? { ports, key };
    this.#ports.set(shared.key, shared);
    return shared;
  }
}

function byOrder(a: { readonly order: number }, b: { readonly order: number }): number {
  return a.order - b.order;
}
