import type { Namespace, Pod, Service } from "#api/generated/core/v1.ts";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import { nameOf } from "../wire/dns-name.ts";
import { ipBytes, ipKey } from "../wire/ip-bytes.ts";

const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

/** A port as it is asked for: both in lower case. */
export interface NamedPort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
}

/** What names need to know of a Service. */
export interface ServiceFacts {
  readonly namespace: string;
  readonly name: string;
  /** None of its own: its endpoints' addresses are told. */
  readonly isHeadless: boolean;
  /** Of an ExternalName; empty for others. */
  readonly externalName: string;
  readonly addresses: readonly Buffer[];
  readonly ports: readonly NamedPort[];
}

/** One address of an endpoint that takes traffic. */
export interface EndpointFacts {
  readonly address: Buffer;
  /** What it is called below its Service: what it says, or its address with dashes. */
  readonly hostname: string;
  readonly service: Pick<ServiceFacts, "namespace" | "name">;
  readonly ports: readonly NamedPort[];
}

interface SliceFacts {
  readonly key: string;
  readonly endpoints: readonly EndpointFacts[];
  readonly byHostname: ReadonlyMap<string, readonly EndpointFacts[]>;
}

/**
 * What the names of a cluster stand for, kept so that neither a change nor a question costs more when there are more Services. A change
 * costs what the changed object is long.
 */
export class ZoneRecords {
  readonly #namespaces = new Set<string>();
  readonly #services = new Map<string, ServiceFacts>();
  readonly #slices = new Map<string, SliceFacts>();
  readonly #slicesOf = new Map<string, Map<string, SliceFacts>>();
  readonly #serviceAt = new Map<string, Map<string, ServiceFacts>>();
  readonly #endpointsAt = new Map<string, Map<string, EndpointFacts[]>>();
  readonly #podsAt = new Map<string, Map<string, string>>();
  readonly #podKeys = new Map<string, readonly string[]>();
  #serial: number;

  /** `nowSeconds` since 1970: the first serial number. */
  constructor(nowSeconds: number) {
    this.#serial = nowSeconds;
  }

  /** Seconds since 1970 when anything last changed. */
  get serial(): number {
    return this.#serial;
  }

  setNamespace(namespace: Namespace, isThere: boolean, nowSeconds: number): void {
    this.#serial = nowSeconds;
    const { name = "" } = namespace.metadata;
    if (isThere) this.#namespaces.add(name);
    else this.#namespaces.delete(name);
  }

  setService(service: Service, isThere: boolean, nowSeconds: number): void {
    this.#serial = nowSeconds;
    const key = keyOf(service.metadata);
    for (const address of this.#services.get(key)?.addresses ?? []) drop(this.#serviceAt, address.toString("hex"), key);
    this.#services.delete(key);
    if (!isThere) return;
    const facts = serviceFacts(service);
    this.#services.set(key, facts);
    for (const address of facts.addresses) put(this.#serviceAt, address.toString("hex"), key, facts);
  }

  setSlice(slice: EndpointSlice, isThere: boolean, nowSeconds: number): void {
    this.#serial = nowSeconds;
    const id = keyOf(slice.metadata);
    const old = this.#slices.get(id);
    if (old !== undefined) {
      this.#slices.delete(id);
      drop(this.#slicesOf, old.key, id);
      for (const { address } of old.endpoints) drop(this.#endpointsAt, address.toString("hex"), id);
    }
    const service = slice.metadata.labels?.[SERVICE_NAME_LABEL];
    if (!isThere || service === undefined) return;
    const facts = sliceFacts(slice, service);
    this.#slices.set(id, facts);
    put(this.#slicesOf, facts.key, id, facts);
    for (const endpoint of facts.endpoints) {
      const address = endpoint.address.toString("hex");
      const there = this.#endpointsAt.get(address)?.get(id);
      if (there === undefined) put(this.#endpointsAt, address, id, [endpoint]);
      else there.push(endpoint);
    }
  }

  setPod(pod: Pod, isThere: boolean): void {
    const id = keyOf(pod.metadata);
    for (const key of this.#podKeys.get(id) ?? []) drop(this.#podsAt, key, id);
    this.#podKeys.delete(id);
    const { phase, podIP, podIPs = [] } = pod.status ?? {};
    if (!isThere || phase === "Succeeded" || phase === "Failed") return;
    const keys = new Set([podIP, ...podIPs.map(({ ip }) => ip)].flatMap((ip) => ipKey(ip ?? "") ?? []));
    this.#podKeys.set(id, [...keys]);
    for (const key of keys) put(this.#podsAt, key, id, pod.metadata.namespace ?? "");
  }

  hasNamespace(name: string): boolean {
    return this.#namespaces.has(name);
  }

  service(namespace: string, name: string): ServiceFacts | undefined {
    return this.#services.get(`${namespace}/${name}`);
  }

  /** Endpoints of a Service; with a host name, those that are called so. */
  *endpoints(namespace: string, service: string, hostname?: string): Iterable<EndpointFacts> {
    for (const slice of this.#slicesOf.get(`${namespace}/${service}`)?.values() ?? []) {
      yield* hostname === undefined ? slice.endpoints : (slice.byHostname.get(hostname) ?? []);
    }
  }

  /** The Service whose own address this is; `key` as by `ipKey`. */
  serviceAt(key: string): ServiceFacts | undefined {
    return this.#serviceAt.get(key)?.values().next().value;
  }

  *endpointsAt(key: string): Iterable<EndpointFacts> {
    for (const endpoints of this.#endpointsAt.get(key)?.values() ?? []) yield* endpoints;
  }

  /** Whether a pod of the namespace that has not ended has the address. */
  hasPodAt(namespace: string, key: string): boolean {
    for (const of of this.#podsAt.get(key)?.values() ?? []) if (of === namespace) return true;
    return false;
  }
}

function serviceFacts({ metadata, spec = {} }: Service): ServiceFacts {
  const { name = "", namespace = "" } = metadata;
  const { type, clusterIP = "", clusterIPs = [], externalName = "", ports = [] } = spec;
  const isExternal = type === "ExternalName";
  const ips = clusterIPs.length > 0 ? clusterIPs : [clusterIP];
  return {
    namespace,
    name,
    isHeadless: !isExternal && clusterIP === "None",
    externalName: isExternal ? nameOf(externalName) : "",
    addresses: isExternal ? [] : ips.flatMap((ip) => ipBytes(ip) ?? []),
    ports: namedPorts(ports),
  };
}

function sliceFacts(slice: EndpointSlice, serviceName: string): SliceFacts {
  const service = { namespace: slice.metadata.namespace ?? "", name: serviceName };
  const ports = namedPorts(slice.ports ?? []);
  const endpoints = (slice.endpoints ?? [])
    // One that says nothing is ready; whoever publishes those that are not says that they are.
    .filter(({ conditions }) => conditions?.ready !== false)
    .flatMap(({ addresses, hostname }) =>
      addresses.flatMap((text): EndpointFacts[] => {
        const address = ipBytes(text);
        if (address === undefined) return [];
        return [{ address, hostname: hostname ? nameOf(hostname) : text.replaceAll(/[.:]/g, "-").toLowerCase(), service, ports }];
      }),
    );
  const byHostname = new Map<string, EndpointFacts[]>();
  for (const endpoint of endpoints) {
    const called = byHostname.get(endpoint.hostname);
    if (called === undefined) byHostname.set(endpoint.hostname, [endpoint]);
    else called.push(endpoint);
  }
  return { key: `${service.namespace}/${service.name}`, endpoints, byHostname };
}

function namedPorts(
  ports: readonly {
    readonly name?: string | undefined;
    readonly protocol?: string | undefined;
    readonly port?: number | undefined;
  }[],
): NamedPort[] {
  return ports.map(({ name = "", protocol = "TCP", port = 0 }) => ({
    name: name.toLowerCase(),
    protocol: protocol.toLowerCase(),
    port,
  }));
}

function keyOf({ namespace = "", name = "" }: { readonly namespace?: string; readonly name?: string }): string {
  return `${namespace}/${name}`;
}

function put<T>(index: Map<string, Map<string, T>>, key: string, id: string, value: T): void {
  const there = index.get(key);
  if (there === undefined) index.set(key, new Map([[id, value]]));
  else there.set(id, value);
}

function drop<T>(index: Map<string, Map<string, T>>, key: string, id: string): void {
  const there = index.get(key);
  there?.delete(id);
  if (there?.size === 0) index.delete(key);
}
