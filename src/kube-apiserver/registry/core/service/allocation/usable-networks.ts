import type { ServiceCIDR } from "#api/generated/networking/v1.ts";
import { familyOf } from "./address-object.ts";

/** The ServiceCIDR that API servers make of their flag. */
export const DEFAULT_SERVICE_CIDR = "kubernetes";

/**
 * The networks of `range`'s family that addresses are given out from: those of ServiceCIDRs that are ready and stay, the default one's
 * first. While that is not there, `range` itself counts.
 */
export function usableNetworks(serviceCidrs: readonly ServiceCIDR[], range: string): readonly string[] {
  const isDefault = ({ metadata }: ServiceCIDR): boolean => metadata.name === DEFAULT_SERVICE_CIDR;
  const ordered = [...serviceCidrs.filter(isDefault), ...serviceCidrs.filter((each) => !isDefault(each))];
  const own = serviceCidrs.some(isDefault) ? [] : [range];
  const ready = ordered.filter((each) => each.metadata.deletionTimestamp === undefined && isReady(each));
  const named = ready.flatMap(({ spec }) => spec?.cidrs ?? []).filter((cidr) => familyOf(cidr) === familyOf(range));
  return [...new Set([...own, ...named])];
}

/** One of which nobody has said anything is ready, so that there need be no controller. */
function isReady({ status }: ServiceCIDR): boolean {
  const condition = status?.conditions?.find(({ type }) => type === "Ready");
  return condition === undefined || condition.status === "True";
}
