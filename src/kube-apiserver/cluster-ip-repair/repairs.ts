import type { Service } from "#api/generated/core/v1.ts";
import type { IPAddress, ServiceCIDR } from "#api/generated/networking/v1.ts";
import { formatIp, networkContains, parseCidr, parseIp } from "#apimachinery/validation/ip.ts";
import { ALLOCATOR_NAME, FAMILY_LABEL, familyOf, MANAGED_BY_LABEL } from "../registry/core/service/allocation/address-object.ts";

/** A Service may still be on its way so long after its address was taken; upstream's grace period. */
export const GRACE_MS: number = 60_000;

/** What is there. */
export interface Observed {
  readonly services: readonly Service[];
  readonly addresses: readonly IPAddress[];
  readonly serviceCidrs: readonly ServiceCIDR[];
  readonly nowMs: number;
}

/** What is told of a fault, in upstream's words. */
export interface Fault {
  readonly reason: string;
  readonly action: string;
  readonly message: string;
}

/** What is wrong, and what mends it. */
export type Repair =
  /** Nobody but its owner can mend it. */
  | { readonly type: "tell"; readonly service: Service; readonly fault: Fault }
  /** The Service's address is taken for it. */
  | { readonly type: "take"; readonly service: Service; readonly ip: string; readonly fault: Fault }
  /** The same in the place of an object that says something else. */
  | {
      readonly type: "replace";
      readonly service: Service;
      readonly address: IPAddress;
      readonly fault: Fault | undefined;
    }
  /** No Service has it. */
  | { readonly type: "give back"; readonly address: IPAddress; readonly fault: Fault };

/**
 * Brings Services and IPAddresses in step: after a server died between writing the one and the other, or somebody wrote by hand. After
 * upstream's `ipallocator-repair-controller`.
 */
export function repairsOf(observed: Observed): readonly Repair[] {
  const services = new Map(observed.services.map((service) => [keyOf(service.metadata), service]));
  const addresses = new Map(observed.addresses.map((address) => [address.metadata.name ?? "", address]));
  const networks = observed.serviceCidrs
    .flatMap(({ spec }) => spec?.cidrs ?? [])
    .map(parseCidr)
    .filter((network) => network !== undefined);
  const isKnown = (ip: string): boolean => {
    const address = parseIp(ip);
    return address !== undefined && networks.some((network) => networkContains(network, address));
  };
  return [
    ...observed.services.flatMap((service) =>
      clusterIpsOf(service).flatMap((ip) => repairOfIp(service, ip, { isKnown, address: addresses.get(ip), services })),
    ),
    ...observed.addresses.flatMap((address) => leftBehind(address, services, observed.nowMs)),
  ];
}

interface Around {
  readonly isKnown: (ip: string) => boolean;
  readonly address: IPAddress | undefined;
  readonly services: ReadonlyMap<string, Service>;
}

function repairOfIp(service: Service, ip: string, { isKnown, address, services }: Around): readonly Repair[] {
  const shown = `[${familyOf(ip)}]`;
  const fault = (reason: string, message: string): Fault => ({ reason, action: "ClusterIPAllocation", message });
  if (!isKnown(ip)) {
    const message = `Cluster IP ${shown}: ${ip} is not within any configured Service CIDR; please recreate service`;
    return [{ type: "tell", service, fault: fault("ClusterIPOutOfRange", message) }];
  }
  if (address === undefined) {
    const message = `Cluster IP ${shown}: ${ip} is not allocated; repairing`;
    return [{ type: "take", service, ip, fault: fault("ClusterIPNotAllocated", message) }];
  }
  const { group = "", resource, namespace = "", name = "" } = address.spec?.parentRef ?? {};
  const isServices = group === "" && resource === "services";
  const owner = isServices ? services.get(`${namespace}/${name}`) : undefined;
  if (owner === undefined) {
    const of = `for Service ${service.metadata.namespace}/${service.metadata.name}`;
    const message = `the ClusterIP ${shown}: ${ip} ${of} has a wrong reference; repairing`;
    return [{ type: "replace", service, address, fault: fault("ClusterIPNotAllocated", message) }];
  }
  if (keyOf(owner.metadata) !== keyOf(service.metadata)) {
    if (!clusterIpsOf(owner).includes(ip)) return [];
    const message = `Cluster IP ${shown}:${ip} was assigned to multiple services; please recreate service`;
    return [{ type: "tell", service, fault: fault("ClusterIPAlreadyAllocated", message) }];
  }
  return hasLabels(address, ip) ? [] : [{ type: "replace", service, address, fault: undefined }];
}

function leftBehind(address: IPAddress, services: ReadonlyMap<string, Service>, nowMs: number): readonly Repair[] {
  const { name: ip = "", labels = {}, creationTimestamp = "" } = address.metadata;
  if (labels[MANAGED_BY_LABEL] !== ALLOCATOR_NAME) return [];
  const { group = "", resource, namespace = "", name = "" } = address.spec?.parentRef ?? {};
  const of = `IPAddress: ${ip} for Service ${namespace}/${name}`;
  const leaked = { reason: "IPAddressNotAllocated", action: "IPAddressAllocation", message: `${of} appears to have leaked` };
  if (group !== "" || resource !== "services") return [{ type: "give back", address, fault: leaked }];
  // It is taken before the Service has it.
  if (nowMs - Date.parse(creationTimestamp) <= GRACE_MS) return [];
  const service = services.get(`${namespace}/${name}`);
  if (service === undefined) return [{ type: "give back", address, fault: leaked }];
  if (clusterIpsOf(service).includes(ip)) return [];
  const message = `${of} has a wrong reference; cleaning up`;
  return [{ type: "give back", address, fault: { ...leaked, reason: "IPAddressWrongReference", message } }];
}

/** In canonical form; none of a headless one, or one without. */
function clusterIpsOf({ spec }: Service): readonly string[] {
  if (spec.type === "ExternalName") return [];
  const ips = spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : []);
  return ips.flatMap((ip) => {
    const address = parseIp(ip);
    return address === undefined ? [] : [formatIp(address)];
  });
}

function hasLabels({ metadata: { labels = {} } }: IPAddress, ip: string): boolean {
  return labels[FAMILY_LABEL] === familyOf(ip) && labels[MANAGED_BY_LABEL] === ALLOCATOR_NAME;
}

function keyOf({ namespace = "", name = "" }: Service["metadata"]): string {
  return `${namespace}/${name}`;
}
