import type { ContainerStats } from "#cri/stats.ts";
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

/** What the pods of a node use, by what runs in its runtime. */
export async function usageOf(host: KubeletHost): Promise<readonly PodUsage[]> {
  const running = await host.runtime.containerStatuses({ state: "CONTAINER_RUNNING" });
  const startedAtMs = new Map(running.map((status) => [status.id, status.startedAtMs ?? 0]));
  const sandboxes = new Map((await host.runtime.listPodSandbox()).map((sandbox) => [sandbox.id, sandbox]));
  return (await host.runtime.listPodSandboxStats()).flatMap(({ id, containers, metadata: { name, namespace, uid } }) => {
    const used = containers.map((stats) => containerUsage(stats, startedAtMs.get(stats.id) ?? 0));
    const { createdAtMs = 0 } = sandboxes.get(id) ?? {};
    return used.length === 0 ? [] : [{ name, namespace, uid, startedAtMs: createdAtMs, containers: used, ...sumOf(used) }];
  });
}

/** Several usages together. */
export function sumOf(usages: readonly Usage[]): Usage {
  const sum = (key: keyof Usage): number => usages.reduce((all, usage) => all + usage[key], 0);
  return { cpuNanoCores: sum("cpuNanoCores"), cpuNanoSeconds: sum("cpuNanoSeconds"), memoryBytes: sum("memoryBytes") };
}

function containerUsage({ metadata, cpu, memory }: ContainerStats, startedAtMs: number): ContainerUsage {
  return {
    name: metadata.name,
    startedAtMs,
    cpuNanoCores: cpu?.usageNanoCores ?? 0,
    cpuNanoSeconds: cpu?.usageCoreNanoSeconds ?? 0,
    memoryBytes: memory?.workingSetBytes ?? 0,
  };
}
