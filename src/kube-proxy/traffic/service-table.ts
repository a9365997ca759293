import type { Service } from "#api/generated/core/v1.ts";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import { endpointsByPort, slicePortKey } from "./endpoints.ts";
import type { IpFamily } from "./ip-family.ts";
import { type NodePlace, type PortTraffic, portTraffic } from "./port-traffic.ts";
import { proxiedPorts, serviceKey } from "./proxied-port.ts";

const SERVICE_NAME_LABEL = "kubernetes.io/service-name";
const HEADLESS_LABEL = "service.kubernetes.io/headless";
const CHANGE_TIME_ANNOTATION = "endpoints.kubernetes.io/last-change-trigger-time";

/** When the change happened that led to this state of a slice, in milliseconds since the epoch; undefined where nobody says. */
export function changeTimeOf({ metadata }: EndpointSlice): number | undefined {
  const time = Date.parse(metadata.annotations?.[CHANGE_TIME_ANNOTATION] ?? "");
  return Number.isNaN(time) ? undefined : time;
}

interface Entry {
  service?: Service;
  readonly slices: Map<string, EndpointSlice>;
}

/** What is known of Services and their slices, by {@link serviceKey}. Changes are noted by who calls, with the key that comes back. */
export class ServiceTable {
  readonly #entries = new Map<string, Entry>();

  /** All Services that are known of, or only their slices. */
  keys(): Iterable<string> {
    return this.#entries.keys();
  }

  /** Takes a Service as it is now; undefined once it is gone. */
  setService(namespace: string, name: string, service: Service | undefined): string {
    const key = serviceKey(namespace, name);
    const entry = this.#entry(key);
    if (service === undefined) delete entry.service;
    else entry.service = service;
    this.#forgetEmpty(key, entry);
    return key;
  }

  /** Takes a slice as it is now, or lets it go. Undefined: it is nobody's. */
  setSlice(slice: EndpointSlice, isThere: boolean): string | undefined {
    const { namespace = "", name = "", labels = {} } = slice.metadata;
    const service = labels[SERVICE_NAME_LABEL] ?? "";
    if (service === "" || HEADLESS_LABEL in labels) return undefined;
    const key = serviceKey(namespace, service);
    const entry = this.#entry(key);
    if (isThere) entry.slices.set(name, slice);
    else entry.slices.delete(name);
    this.#forgetEmpty(key, entry);
    return key;
  }

  /** Where the packets to a Service go, port by port. */
  traffic(key: string, family: IpFamily, node: NodePlace): readonly PortTraffic[] {
    const { service, slices = new Map<string, EndpointSlice>() } = this.#entries.get(key) ?? {};
    if (service === undefined) return [];
    const ports = proxiedPorts(service, family);
    if (ports.length === 0) return [];
    const endpoints = endpointsByPort([...slices.values()], family, node.name);
    return ports.map((port) => portTraffic(port, endpoints.get(slicePortKey(port.name, port.protocol)) ?? [], node));
  }

  #entry(key: string): Entry {
    const entry = this.#entries.get(key) ?? { slices: new Map<string, EndpointSlice>() };
    this.#entries.set(key, entry);
    return entry;
  }

  #forgetEmpty(key: string, { service, slices }: Entry): void {
    if (service === undefined && slices.size === 0) this.#entries.delete(key);
  }
}
