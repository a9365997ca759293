import type { Container, Pod } from "#api/generated/core/v1.ts";
import {
  parseQuantity,
  type Quantity,
  quantityMilliValue,
  quantitySign,
  quantityValue,
} from "#apimachinery/resource/quantity.ts";
import { podLimits } from "#component-helpers/pod/pod-limits.ts";
import { podRequests } from "#component-helpers/pod/pod-requests.ts";
import type { CgroupSettings } from "./cgroup-settings.ts";
import { quotaOf, SHARES_MIN, sharesOf } from "./cpu-units.ts";
import { hugePageLimits } from "./huge-pages.ts";
import { qosClassOf } from "./quality-of-service.ts";

/** What of a node counts for the cgroups of its pods. */
export interface PodSettingsOptions {
  readonly cpuCfsQuota: boolean;
  readonly cpuPeriodUs: number;
  /** Most processes of a pod; undefined: as many as the node has room for. */
  readonly pidsMax: number | undefined;
  readonly hugePageSizes: readonly string[];
}

/** What the cgroup of a pod is set to (upstream's `ResourceConfigForPod`): a limit only where all its containers have one. */
export function podSettings(pod: Pod, { cpuCfsQuota, cpuPeriodUs, pidsMax, hugePageSizes }: PodSettingsOptions): CgroupSettings {
  const requests = podRequests(pod);
  const limits = podLimits(pod);
  const qos = qosClassOf(pod);
  const texts = Object.fromEntries([...limits].map(([name, amount]) => [name, quantityValue(amount)]));
  const common: CgroupSettings = {
    ...(pidsMax === undefined ? {} : { pidsMax }),
    hugePages: hugePageLimits(texts, hugePageSizes),
  };
  if (qos === "BestEffort") return { ...common, cpuShares: SHARES_MIN };
  const limitsCpu = qos === "Guaranteed" || isLimited(pod, "cpu");
  const limitsMemory = qos === "Guaranteed" || isLimited(pod, "memory");
  const memoryMax = amountOf(limits.get("memory"), quantityValue);
  const quota = quotaOf(amountOf(limits.get("cpu"), quantityMilliValue), cpuPeriodUs);
  return {
    ...common,
    cpuShares: sharesOf(podCpuMilli(pod, requests)),
    ...(limitsCpu && cpuCfsQuota && quota > 0 ? { cpuQuotaUs: quota, cpuPeriodUs } : {}),
    ...(limitsMemory && memoryMax > 0 ? { memoryMax } : {}),
  };
}

/** What a pod asks for of processors, in thousandths. */
export function podCpuMilli(pod: Pod, requests: ReadonlyMap<string, Quantity> = podRequests(pod)): number {
  return amountOf(requests.get("cpu"), quantityMilliValue);
}

function isLimited({ spec }: Pod, name: string): boolean {
  const has = ({ resources }: Pick<Container, "resources">): boolean =>
    quantitySign(parseQuantity(resources?.limits?.[name] ?? 0)) > 0;
  if (spec.resources?.limits?.[name] !== undefined) return true;
  return [...spec.containers, ...(spec.initContainers ?? [])].every(has);
}

function amountOf(quantity: Quantity | undefined, value: (quantity: Quantity) => number): number {
  return quantity === undefined ? 0 : value(quantity);
}
