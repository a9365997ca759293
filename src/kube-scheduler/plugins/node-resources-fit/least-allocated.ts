import type { NodeInfo } from "../../framework/node-info.ts";
import { NODE_SCORE_MAX } from "../../framework/plugin.ts";
import type { PodInfo } from "../../framework/pod-info.ts";

/** Rates how much CPU and memory would be left, equally weighted, in whole points as upstream. */
export function leastAllocated(pod: PodInfo, node: NodeInfo): number {
  const { allocatable, nonZeroRequested } = node;
  let sum = 0;
  let weights = 0;
  if (allocatable.milliCpu > 0) {
    sum += unused(nonZeroRequested.milliCpu + pod.nonZero.milliCpu, allocatable.milliCpu);
    weights += 1;
  }
  if (allocatable.memoryBytes > 0) {
    sum += unused(nonZeroRequested.memoryBytes + pod.nonZero.memoryBytes, allocatable.memoryBytes);
    weights += 1;
  }
  return weights === 0 ? 0 : Math.trunc(sum / weights);
}

function unused(requested: number, capacity: number): number {
  return requested > capacity ? 0 : Math.trunc(((capacity - requested) * NODE_SCORE_MAX) / capacity);
}
