import { expect, test } from "vitest";
import type { Container, Pod } from "#api/generated/core/v1.ts";
import { containerResources, type ResourceSettings } from "./container-resources.ts";
import { quotaOf, sharesOf, weightOf } from "./cpu-units.ts";
import { hugePageSizeName } from "./huge-pages.ts";
import { oomScoreAdjust } from "./oom-score.ts";
import { qosClassOf } from "./quality-of-service.ts";

const GI = 1024 ** 3;
const MI = 1024 ** 2;
const SETTINGS: ResourceSettings = {
  cgroupVersion: 1,
  memoryCapacityBytes: 8 * GI,
  memoryAllocatableBytes: 4 * GI,
  swapCapacityBytes: 4 * GI,
  countsSwap: false,
  swapBehavior: "NoSwap",
  cpuCfsQuota: true,
  cpuPeriodUs: 100_000,
  singleProcessOomKill: true,
  hugePageSizes: [],
};

interface Wanted {
  readonly requests?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, string>>;
}

function podOf(resources: Wanted, more: object = {}): readonly [Pod, Container] {
  const container = { name: "c", image: "i", resources } as Container;
  return [{ metadata: { name: "p" }, spec: { containers: [container], ...more } } as unknown as Pod, container];
}

test.each([
  [0, 2],
  [1, 2],
  [250, 256],
  [1000, 1024],
  [1_000_000, 262_144],
])("%i thousandths of a processor are %i shares", (milli, shares) => expect(sharesOf(milli)).toBe(shares));

test.each([
  [0, 100_000, 0],
  [5, 100_000, 1000],
  [500, 100_000, 50_000],
  [1500, 10_000, 15_000],
])("%i thousandths in %i µs are a quota of %i", (milli, period, quota) => expect(quotaOf(milli, period)).toBe(quota));

test.each([
  [2, 1],
  [1024, 39],
  [262_144, 10_000],
])("%i shares weigh %i", (shares, weight) => expect(weightOf(shares)).toBe(weight));

test.each([
  [2 * MI, "2MB"],
  [GI, "1GB"],
  [64 * 1024, "64KB"],
])("huge pages of %i bytes are called %s", (bytes, name) => expect(hugePageSizeName(bytes)).toBe(name));

test.each<[string, Wanted]>([
  ["BestEffort", {}],
  ["Burstable", { requests: { memory: "1Gi" } }],
  ["Burstable", { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "2", memory: "1Gi" } }],
  ["Guaranteed", { limits: { cpu: "1", memory: "1Gi" } }],
  ["Guaranteed", { requests: { cpu: "1000m", memory: "1024Mi" }, limits: { cpu: "1", memory: "1Gi" } }],
])("%s: %j", (qos, resources) => expect(qosClassOf(podOf(resources)[0])).toBe(qos));

test.each<[number, string, Wanted, object]>([
  [1000, "nothing was promised", {}, {}],
  [-997, "all was promised", { limits: { cpu: "1", memory: "1Gi" } }, {}],
  [-997, "the node needs it", {}, { priority: 2_000_001_000, priorityClassName: "system-node-critical" }],
  [500, "half of the node's memory", { requests: { memory: "4Gi" } }, {}],
  [999, "processors alone", { requests: { cpu: "1" } }, {}],
  [3, "more than there is", { requests: { memory: "9Gi" } }, {}],
])("an OOM score of %i: %s", (score, _, resources, spec) => {
  const [pod, container] = podOf(resources, spec);
  expect(oomScoreAdjust(pod, container, 8 * GI)).toBe(score);
});

test("a sidecar is not ended before the containers that need it", () => {
  const app = { name: "app", resources: { requests: { memory: "4Gi" } } } as unknown as Container;
  const sidecar = { name: "side", restartPolicy: "Always", resources: { requests: { memory: "1Gi" } } } as unknown as Container;
  const pod = { metadata: {}, spec: { containers: [app], initContainers: [sidecar] } } as unknown as Pod;
  expect(oomScoreAdjust(pod, sidecar, 8 * GI)).toBe(500);
});

test("limits become quotas, shares and bytes; a request that is not there is as its limit", () => {
  const [pod, container] = podOf({ limits: { cpu: "500m", memory: "64Mi" } });
  expect(containerResources(pod, container, SETTINGS)).toEqual({
    cpuShares: 512,
    cpuQuota: 50_000,
    cpuPeriod: 100_000,
    memoryLimitInBytes: 64 * MI,
    oomScoreAdj: -997,
    hugepageLimits: [],
  });
});

test("without a quota of processors none is told, and huge pages that nobody asked for are forbidden", () => {
  const [pod, container] = podOf({ limits: { "hugepages-2Mi": "4Mi" } });
  const settings = { ...SETTINGS, cpuCfsQuota: false, hugePageSizes: ["2MB", "1GB"] };
  expect(containerResources(pod, container, settings)).toEqual({
    cpuShares: 2,
    oomScoreAdj: 1000,
    hugepageLimits: [
      { pageSize: "2MB", limit: 4 * MI },
      { pageSize: "1GB", limit: 0 },
    ],
  });
});

test("nobody swaps on cgroup v1, and on v2 only burstable pods where the node lets them", () => {
  const [pod, container] = podOf({ requests: { memory: "1Gi" }, limits: { memory: "2Gi" } });
  const counting = { ...SETTINGS, countsSwap: true };
  expect(containerResources(pod, container, counting).memorySwapLimitInBytes).toBe(2 * GI);
  const v2: ResourceSettings = { ...counting, cgroupVersion: 2, singleProcessOomKill: false };
  expect(containerResources(pod, container, v2).unified).toEqual({ "memory.swap.max": "0", "memory.oom.group": "1" });
  const limited: ResourceSettings = { ...v2, swapBehavior: "LimitedSwap" };
  expect(containerResources(pod, container, limited).unified).toMatchObject({ "memory.swap.max": String(GI / 2) });
  const [critical] = podOf({ requests: { memory: "1Gi" } }, { priority: 2_000_000_000 });
  expect(containerResources(critical, container, limited).unified).toMatchObject({ "memory.swap.max": "0" });
});

test("memory QoS keeps what was asked for, and slows down before the limit", () => {
  const settings: ResourceSettings = { ...SETTINGS, cgroupVersion: 2, memoryQos: { throttlingFactor: 0.9, reserves: true } };
  const [pod, container] = podOf({ requests: { memory: "1Gi" }, limits: { memory: "2Gi" } });
  const high = Math.floor((1.9 * GI) / 4096) * 4096;
  expect(containerResources(pod, container, settings).unified).toEqual({ "memory.low": String(GI), "memory.high": String(high) });
  expect(containerResources(pod, container, { ...settings, cgroupVersion: 1 }).unified).toBeUndefined();
});
