import type { ResourceClaim } from "#api/generated/resource/v1.ts";
import { newQuantity, type Quantity, quantityAdd, quantityCompare } from "#apimachinery/resource/quantity.ts";
import { objectCountName, type QuotaEvaluator } from "./evaluator.ts";

const GROUP = "resource.k8s.io";
const COUNT = objectCountName(GROUP, "resourceclaims");
/** Behind a device class's name. */
const CLASS_SUFFIX = ".deviceclass.resource.k8s.io/devices";
/** More devices are never allocated for a claim: what "all" may come to. */
const DEVICES_MAX = 32;

interface DeviceDemand {
  readonly deviceClassName?: string;
  readonly allocationMode?: string;
  readonly count?: number;
}

/** Claims count, and use devices of their classes; of alternatives, the most of each class. */
export const resourceClaimEvaluator: QuotaEvaluator = {
  group: GROUP,
  resource: "resourceclaims",
  handles: ({ subresource }) => subresource === "",
  matchingNames: (names) => names.filter((name) => name === COUNT || name.endsWith(CLASS_SUFFIX)),
  inScope: () => false,
  usage: (object) => {
    const usage = new Map<string, Quantity>([[COUNT, newQuantity(1, 0, "DecimalSI")]]);
    for (const { exactly, firstAvailable } of (object as ResourceClaim).spec?.devices?.requests ?? []) {
      for (const [name, devices] of mostOfEachClass(firstAvailable?.length ? firstAvailable : exactly ? [exactly] : [])) {
        const old = usage.get(name);
        usage.set(name, old === undefined ? devices : quantityAdd(old, devices));
      }
    }
    return usage;
  },
};

function mostOfEachClass(demands: readonly DeviceDemand[]): Map<string, Quantity> {
  const most = new Map<string, Quantity>();
  for (const demand of demands) {
    const name = `${demand.deviceClassName ?? ""}${CLASS_SUFFIX}`;
    const devices = newQuantity(devicesOf(demand), 0, "DecimalSI");
    const old = most.get(name);
    if (old === undefined || quantityCompare(devices, old) > 0) most.set(name, devices);
  }
  return most;
}

/** A mode that is not known counts nothing. */
function devicesOf({ allocationMode, count }: DeviceDemand): number {
  if (allocationMode === "ExactCount") return count ?? 0;
  return allocationMode === "All" ? DEVICES_MAX : 0;
}
