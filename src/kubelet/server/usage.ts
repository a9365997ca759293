import type { ContainerStatus } from "#cri/runtime-service.ts";
import type { KubeletHost } from "./kubelet-host.ts";

/** What a container, a pod or a node has used. */
export interface Usage {
  readonly cpuNanoCores: number;
  /** Since it began. */
  readonly cpuNanoSeconds: number;
  readonly memoryBytes: number;
}

/** A container that runs, with what it uses. */
export interface ContainerUsage extends Usage {
  readonly name: string;
  readonly startedAtMs: number;
}

/** A pod that runs, with what it and its containers use. */
export interface PodUsage extends Usage {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly startedAtMs: number;
  readonly containers: readonly ContainerUsage[];
}

/** What a simulated container pretends to use: a thousandth of a core, and 8 MiB. */
const CPU_NANO_CORES = 1_000_000;
const MEMORY_BYTES: number = 8 * 1024 * 1024;

/** What the pods of a node use, by what runs in its runtime. */
export async function usageOf(host: KubeletHost, nowMs: number): Promise<readonly PodUsage[]> {
  const containers = await host.runtime.listContainers();
  const sandboxes = await host.runtime.listPodSandbox();
  return sandboxes.flatMap(({ id, createdAtMs, metadata: { name, namespace, uid } }) => {
    const own = containers.filter(({ sandboxId, state }) => sandboxId === id && state === "CONTAINER_RUNNING");
    if (own.length === 0) return [];
    const used = own.map((container) => containerUsage(container, nowMs));
    return [{ name, namespace, uid, startedAtMs: createdAtMs, containers: used, ...sumOf(used) }];
  });
}

/** Several usages together. */
export function sumOf(usages: readonly Usage[]): Usage {
  const sum = (key: keyof Usage): number => usages.reduce((all, usage) => all + usage[key], 0);
  return { cpuNanoCores: sum("cpuNanoCores"), cpuNanoSeconds: sum("cpuNanoSeconds"), memoryBytes: sum("memoryBytes") };
}

function containerUsage({ metadata, startedAtMs = 0 }: ContainerStatus, nowMs: number): ContainerUsage {
  const cpuNanoSeconds = Math.round((Math.max(0, nowMs - startedAtMs) / 1000) * CPU_NANO_CORES);
  return { name: metadata.name, startedAtMs, cpuNanoCores: CPU_NANO_CORES, cpuNanoSeconds, memoryBytes: MEMORY_BYTES };
}
