import type { Pod } from "#api/generated/core/v1.ts";
import { isMirrorPod, isStaticPod } from "../config/static-pod.ts";

/** From here on priorities are the system's (upstream's `SystemCriticalPriority`). */
const SYSTEM_CRITICAL = 2_000_000_000;

/** Whether a node must not do without a pod: it is the node's own, or of the system's priority (upstream's `IsCriticalPod`). */
export function isCriticalPod(pod: Pod): boolean {
  return isStaticPod(pod) || isMirrorPod(pod) || (pod.spec.priority ?? 0) >= SYSTEM_CRITICAL;
}

/** A critical pod of `system-node-critical` (upstream's `IsNodeCriticalPod`). */
export function isNodeCriticalPod(pod: Pod): boolean {
  return isCriticalPod(pod) && pod.spec.priorityClassName === "system-node-critical";
}
