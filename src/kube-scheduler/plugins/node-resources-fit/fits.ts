import type { NodeInfo } from "../../framework/node-info.ts";
import type { Resources } from "../../framework/resources.ts";
import type { Status, StatusCode } from "../../framework/status.ts";

/** Whether the node has room for one more pod that asks for this. */
export function fits({ milliCpu, memoryBytes, ephemeralStorageBytes, scalars }: Resources, node: NodeInfo): boolean {
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
export function shortage(wanted: Resources, node: NodeInfo): Status {
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
