import type { Container, Pod } from "#api/generated/core/v1.ts";
import { parseQuantity, quantityMilliValue, quantityValue } from "#apimachinery/resource/quantity.ts";
import type { LinuxContainerResources } from "#cri/linux-config.ts";
import { quotaOf, sharesOf } from "./cpu-units.ts";
import { isCriticalPod } from "./critical-pods.ts";
import { hugePageLimits } from "./huge-pages.ts";
import { oomScoreAdjust } from "./oom-score.ts";
import { type QosClass, qosClassOf } from "./quality-of-service.ts";

/** What of a node counts for the resources of its containers. */
export interface ResourceSettings {
  readonly cgroupVersion: 1 | 2;
  readonly memoryCapacityBytes: number;
  /** What pods may have together. */
  readonly memoryAllocatableBytes: number;
  readonly swapCapacityBytes: number;
  /** Whether swap is counted: not every kernel does. */
  readonly countsSwap: boolean;
  readonly swapBehavior: "NoSwap" | "LimitedSwap";
  readonly cpuCfsQuota: boolean;
  readonly cpuPeriodUs: number;
  /** End only the process that took too much, and not its whole container. */
  readonly singleProcessOomKill: boolean;
  /** Sizes of huge pages that the machine has, as cgroups name them: `2MB`. */
  readonly hugePageSizes: readonly string[];
  /** KEP-2570; undefined: off. */
  readonly memoryQos?: { readonly throttlingFactor: number; readonly reserves: boolean };
}

const PAGE_BYTES = 4096;

/** What the runtime is told of a container's resources (upstream's `generateLinuxContainerResources`). */
export function containerResources(pod: Pod, container: Container, settings: ResourceSettings): LinuxContainerResources {
  const { cpuPeriodUs } = settings;
  const { requests = {}, limits = {} } = container.resources ?? {};
  const podLimits = pod.spec.resources?.limits ?? {};
  const cpuLimit = milli(limits.cpu ?? podLimits.cpu);
  const cpuRequest = requests.cpu === undefined && limits.cpu !== undefined ? milli(limits.cpu) : milli(requests.cpu);
  const memoryLimit = bytes(limits.memory ?? podLimits.memory);
  const { unified: ofSwap = {}, ...swap } = swapLimit(pod, container, memoryLimit, settings);
  const ofGroup: Readonly<Record<string, string>> =
    settings.cgroupVersion === 2 && !settings.singleProcessOomKill ? { "memory.oom.group": "1" } : {};
  const unified = { ...ofGroup, ...memoryQos(pod, container, settings), ...ofSwap };
  return {
    cpuShares: sharesOf(cpuRequest),
    ...(settings.cpuCfsQuota ? { cpuQuota: quotaOf(cpuLimit, cpuPeriodUs), cpuPeriod: cpuPeriodUs } : {}),
    ...(memoryLimit === 0 ? {} : { memoryLimitInBytes: memoryLimit }),
    ...swap,
    oomScoreAdj: oomScoreAdjust(pod, container, settings.memoryCapacityBytes),
    hugepageLimits: hugePageLimits(limits, settings.hugePageSizes),
    ...(Object.keys(unified).length === 0 ? {} : { unified }),
  };
}

/** Nobody swaps unless the node says so, and then only pods that were promised less than they may use. */
function swapLimit(
  pod: Pod,
  container: Container,
  memoryLimit: number,
  settings: ResourceSettings,
): Pick<LinuxContainerResources, "memorySwapLimitInBytes" | "unified"> {
  if (!settings.countsSwap) return {};
  if (settings.cgroupVersion === 1) return memoryLimit === 0 ? {} : { memorySwapLimitInBytes: memoryLimit };
  const request = bytes(container.resources?.requests?.memory);
  const may =
    settings.swapBehavior === "LimitedSwap" &&
    qosClassOf(pod) === "Burstable" &&
    !isCriticalPod(pod) &&
    request > 0 &&
    request !== memoryLimit;
  const share = may ? Math.trunc((request / settings.memoryCapacityBytes) * settings.swapCapacityBytes) : 0;
  return { unified: { "memory.swap.max": String(share) } };
}

/** Memory that is kept for a container, and from where on it is slowed down (KEP-2570). */
function memoryQos(pod: Pod, container: Container, settings: ResourceSettings): Readonly<Record<string, string>> {
  if (settings.memoryQos === undefined || settings.cgroupVersion === 1) return {};
  const { throttlingFactor, reserves } = settings.memoryQos;
  const request = bytes(container.resources?.requests?.memory);
  const limit = bytes(container.resources?.limits?.memory);
  const qos = qosClassOf(pod);
  const most = limit === 0 ? settings.memoryAllocatableBytes : limit;
  const high = Math.floor((request + (most - request) * throttlingFactor) / PAGE_BYTES) * PAGE_BYTES;
  const isThrottled = qos !== "Guaranteed" && high > request;
  return {
    ...(reserves ? reservation(qos, request) : {}),
    ...(isThrottled ? { "memory.high": String(high) } : {}),
  };
}

/** Only who has what it asked for is sure of it. */
function reservation(qos: QosClass, request: number): Readonly<Record<string, string>> {
  if (request === 0) return {};
  return qos === "Guaranteed" ? { "memory.min": String(request) } : { "memory.low": String(request) };
}

function milli(amount: string | number | undefined): number {
  return quantityMilliValue(parseQuantity(amount ?? 0));
}

function bytes(amount: string | number | undefined): number {
  return quantityValue(parseQuantity(amount ?? 0));
}
