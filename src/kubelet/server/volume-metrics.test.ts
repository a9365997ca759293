import { expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { volumeMetrics, volumeSummary } from "./volume-metrics.ts";

const usage = {
  usedBytes: 1,
  inodesUsed: 2,
  capacityBytes: 3,
  availableBytes: 4,
  inodes: 5,
  inodesFree: 6,
  isLocalEphemeral: false,
};
const claimed = { ...usage, name: "v", pvcRef: { name: "data", namespace: "shop" } };
const pods = (): Pod[] => ["a", "b"].map((name) => ({ metadata: { name }, spec: { containers: [] } }) as Pod);

test("volumes of claims have metrics, each once however many pods use it", async () => {
  const volumeStats = async ({ metadata }: Pod) => [claimed, { ...usage, name: `${metadata.name}` }];
  const metrics = await volumeMetrics({ pods, volumeStats });
  const labels = { namespace: "shop", persistentvolumeclaim: "data" };
  expect(metrics.map(({ name, samples }) => [name, samples])).toEqual([
    ["kubelet_volume_stats_capacity_bytes", [{ labels, value: 3 }]],
    ["kubelet_volume_stats_available_bytes", [{ labels, value: 4 }]],
    ["kubelet_volume_stats_used_bytes", [{ labels, value: 1 }]],
    ["kubelet_volume_stats_inodes", [{ labels, value: 5 }]],
    ["kubelet_volume_stats_inodes_free", [{ labels, value: 6 }]],
    ["kubelet_volume_stats_inodes_used", [{ labels, value: 2 }]],
  ]);
  expect(await volumeMetrics({ pods, volumeStats: async () => [{ ...usage, name: "e" }] })).toEqual([]);
  expect(await volumeMetrics({ pods })).toEqual([]);
});

test("a summary tells of all volumes, and of which claim they are", () => {
  const { isLocalEphemeral: _, ...told } = usage;
  expect(volumeSummary([claimed, { ...usage, name: "e" }], "T")).toEqual([
    { ...told, time: "T", name: "v", pvcRef: { name: "data", namespace: "shop" } },
    { ...told, time: "T", name: "e" },
  ]);
});
