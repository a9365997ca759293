import type { Pod, Taint } from "#api/generated/core/v1.ts";
import { findUntoleratedTaint } from "#component-helpers/node/taints.ts";

const MEMORY_PRESSURE: Taint = { key: "node.kubernetes.io/memory-pressure", effect: "NoSchedule" };

/** Whether a pod bears a node that runs short of memory. */
export function isToleratedBy({ spec }: Pod): boolean {
  return findUntoleratedTaint([MEMORY_PRESSURE], spec.tolerations ?? [], ["NoSchedule"]) === undefined;
}
