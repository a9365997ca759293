import type { IPAddress, ServiceCIDR } from "#api/generated/networking/v1.ts";
import { effectiveLength, type IpNetwork, networkContains, parseCidr, parseIp } from "#apimachinery/validation/ip.ts";

/** The networks of one ServiceCIDR, and those of all others. */
export interface Networks {
  readonly own: readonly IpNetwork[];
  readonly others: readonly IpNetwork[];
  /** Equal for equal networks. */
  readonly id: string;
}

/** Those of one ServiceCIDR among all that there are. */
export function networksAround(serviceCidr: ServiceCIDR, all: readonly ServiceCIDR[]): Networks {
  const others = all.filter(({ metadata }) => metadata.name !== serviceCidr.metadata.name);
  const id = JSON.stringify([serviceCidr.spec?.cidrs, others.map(({ spec }) => spec?.cidrs)]);
  return { own: networksOf(serviceCidr), others: others.flatMap(networksOf), id };
}

/** Whether a Service would be left with the address out of no ServiceCIDR. */
export function needsOnly({ metadata }: IPAddress, { own, others }: Networks): boolean {
  const address = parseIp(metadata.name ?? "");
  if (address === undefined || !own.some((network) => networkContains(network, address))) return false;
  return !others.some((network) => networkContains(network, address));
}

/** The names of the ServiceCIDRs that share addresses with one, it among them: what becomes of one may decide about the others. */
export function overlapping(serviceCidr: ServiceCIDR, all: readonly ServiceCIDR[]): readonly string[] {
  const own = networksOf(serviceCidr);
  return all
    .filter((other) => networksOf(other).some((one) => own.some((network) => contains(one, network) || contains(network, one))))
    .map(({ metadata }) => metadata.name ?? "");
}

/** The names of the ServiceCIDRs that an address lies in. */
export function containing({ metadata }: IPAddress, all: readonly ServiceCIDR[]): readonly string[] {
  const address = parseIp(metadata.name ?? "");
  if (address === undefined) return [];
  return all
    .filter((each) => networksOf(each).some((network) => networkContains(network, address)))
    .map((each) => each.metadata.name ?? "");
}

function networksOf({ spec }: ServiceCIDR): readonly IpNetwork[] {
  return (spec?.cidrs ?? []).map(parseCidr).filter((network) => network !== undefined);
}

function contains(outer: IpNetwork, inner: IpNetwork): boolean {
  return networkContains(outer, inner.address) && effectiveLength(outer) <= effectiveLength(inner);
}
