import type { Pod } from "#api/generated/core/v1.ts";
import type { ClusterEvent } from "../../framework/cluster-event.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import type { FilterPlugin, Plugin, ScorePlugin } from "../../framework/plugin.ts";
import { podResources, type Resources, resourcesFromList } from "../../framework/resources.ts";
import { type Status, type StatusCode, SUCCESS } from "../../framework/status.ts";
import { leastAllocated } from "./least-allocated.ts";

/** A node must have what the pod requests; nodes with more left are better. */
export function nodeResourcesFit(): Plugin & FilterPlugin & ScorePlugin {
  return {
    name: "NodeResourcesFit",
    weight: 1,
    eventsToRegister: [
      { resource: "AssignedPod", actions: ["delete", "scaleDown"] },
      { resource: "Node", actions: ["add", "updateAllocatable"], queueingHint: hintOfNode },
      { resource: "UnscheduledPod", actions: ["scaleDown"] },
    ],
    filter: (_, pod, node) => (fits(pod.requests, node) ? SUCCESS : shortage(pod.requests, node)),
    score: (_, pod, node) => leastAllocated(pod, node),
  };
}

function fits({ milliCpu, memoryBytes, ephemeralStorageBytes, scalars }: Resources, node: NodeInfo): boolean {
  const { allocatable, requested } = node;
  if (node.podCount + 1 > node.allowedPods) return false;
  if (milliCpu > 0 && milliCpu > allocatable.milliCpu - requested.milliCpu) return false;
  if (memoryBytes > 0 && memoryBytes > allocatable.memoryBytes - requested.memoryBytes) return false;
  if (ephemeralStorageBytes > 0 && ephemeralStorageBytes > allocatable.ephemeralStorageBytes - requested.ephemeralStorageBytes) {
    return false;
  }
  if (scalars.size === 0) return true;
  for (const [name, wanted] of scalars) {
    if (wanted > 0 && wanted > (allocatable.scalars.get(name) ?? 0) - (requested.scalars.get(name) ?? 0)) return false;
  }
  return true;
}

/** Everything that is short. A request beyond the whole node cannot be helped by evicting pods. */
function shortage(wanted: Resources, node: NodeInfo): Status {
  const { allocatable, requested } = node;
  const reasons: string[] = [];
  let code: StatusCode = "Unschedulable";
  const check = (name: string, amount: number, total: number, used: number): void => {
    if (amount <= 0 || amount <= total - used) return;
    reasons.push(`Insufficient ${name}`);
    if (amount > total) code = "UnschedulableAndUnresolvable";
  };
  if (node.podCount + 1 > node.allowedPods) reasons.push("Too many pods");
  check("cpu", wanted.milliCpu, allocatable.milliCpu, requested.milliCpu);
  check("memory", wanted.memoryBytes, allocatable.memoryBytes, requested.memoryBytes);
  const storage = wanted.ephemeralStorageBytes;
  check("ephemeral-storage", storage, allocatable.ephemeralStorageBytes, requested.ephemeralStorageBytes);
  for (const [name, amount] of wanted.scalars) {
    check(name, amount, allocatable.scalars.get(name) ?? 0, requested.scalars.get(name) ?? 0);
  }
  return { code, reasons };
}

/** A change of the node helps only if the whole node would be large enough. */
function hintOfNode(pod: Pod, event: ClusterEvent): "Queue" | "Skip" {
  if (event.resource !== "Node") return "Skip";
  const requests = podResources(pod, { placed: pod.spec.nodeName !== undefined });
  const allocatable = resourcesFromList(event.node.status?.allocatable);
  const enough =
    requests.milliCpu <= allocatable.milliCpu &&
    requests.memoryBytes <= allocatable.memoryBytes &&
    requests.ephemeralStorageBytes <= allocatable.ephemeralStorageBytes &&
    [...requests.scalars].every(([name, amount]) => amount <= (allocatable.scalars.get(name) ?? 0));
  return enough ? "Queue" : "Skip";
}
