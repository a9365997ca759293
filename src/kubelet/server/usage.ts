import type { RuntimeService } from "#cri/runtime-service.ts";
import type { ContainerStats, CpuUsage, FilesystemUsage, MemoryUsage, NetworkUsage, SwapUsage } from "#cri/stats.ts";
import type { KubeletHost } from "./kubelet-host.ts";

/** What a container, a pod or a node has used. */
export interface Usage {
  readonly cpuNanoCores: number;
  /** Since it began. */
  readonly cpuNanoSeconds: number;
  /** Without what the kernel can let go. */
  readonly memoryBytes: number;
  readonly memoryUsageBytes: number;
  readonly rssBytes: number;
  readonly pageFaults: number;
  readonly majorPageFaults: number;
}

/** A container that runs, with what it uses. */
export interface ContainerUsage extends Usage {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly startedAtMs: number;
  readonly logPath: string;
  /** Left of its limit; undefined without one. */
  readonly memoryAvailableBytes: number | undefined;
  /** What it has written to its own file system. */
  readonly writableLayer: FilesystemUsage | undefined;
  readonly swap: SwapUsage | undefined;
}

/** A pod that runs, with what it and its containers use. */
export interface PodUsage extends Usage {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly startedAtMs: number;
  readonly containers: readonly ContainerUsage[];
  readonly network: NetworkUsage | undefined;
  /** Undefined where the runtime does not count. */
  readonly processCount: number | undefined;
}

/** What is told of a sandbox; the rest is not told by older runtimes. */
interface SandboxFacts {
  readonly id: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly uid: string };
  readonly containers: readonly ContainerStats[];
  readonly cpu?: CpuUsage | undefined;
  readonly memory?: MemoryUsage | undefined;
  readonly network?: NetworkUsage | undefined;
  readonly processCount?: number | undefined;
}

/** What the pods of a node use, by what runs in its runtime. */
export async function usageOf(host: Pick<KubeletHost, "runtime" | "rates">): Promise<readonly PodUsage[]> {
  const running = new Map(
    (await host.runtime.containerStatuses({ state: "CONTAINER_RUNNING" })).map((status) => [status.id, status]),
  );
  const sandboxes = new Map((await host.runtime.listPodSandbox()).map((sandbox) => [sandbox.id, sandbox]));
  return (await sandboxStats(host.runtime)).flatMap((stats) => {
    const { id, metadata, network, processCount } = stats;
    const { name, namespace, uid } = metadata;
    const containers = stats.containers.map((one): ContainerUsage => {
      const { startedAtMs = 0, logPath = "", image = "" } = running.get(one.id) ?? {};
      const { writableLayer, swap, memory } = one;
      const own = { id: one.id, name: one.metadata.name, image, startedAtMs, logPath };
      const usage = usageOfParts(host, one.id, one.cpu, memory);
      return { ...own, ...usage, memoryAvailableBytes: memory?.availableBytes, writableLayer, swap };
    });
    if (containers.length === 0) return [];
    const { createdAtMs = 0 } = sandboxes.get(id) ?? {};
    // Where the runtime measures the pod's own cgroup, that counts its sandbox too.
    const hasOwn = stats.cpu?.usageCoreNanoSeconds !== undefined && stats.memory?.workingSetBytes !== undefined;
    const all = hasOwn ? usageOfParts(host, id, stats.cpu, stats.memory) : sumOf(containers);
    return [{ name, namespace, uid, startedAtMs: createdAtMs, containers, network, processCount, ...all }];
  });
}

/** Several usages together. */
export function sumOf(usages: readonly Usage[]): Usage {
  const sum = (key: keyof Usage): number => usages.reduce((all, usage) => all + usage[key], 0);
  return {
    cpuNanoCores: sum("cpuNanoCores"),
    cpuNanoSeconds: sum("cpuNanoSeconds"),
    memoryBytes: sum("memoryBytes"),
    memoryUsageBytes: sum("memoryUsageBytes"),
    rssBytes: sum("rssBytes"),
    pageFaults: sum("pageFaults"),
    majorPageFaults: sum("majorPageFaults"),
  };
}

/**
 * CRI's own statistics of sandboxes, or put together of those of containers: where the runtime is too old for them, and where
 * it has none because of one sandbox that is about to go, as containerd does.
 */
async function sandboxStats(runtime: RuntimeService): Promise<readonly SandboxFacts[]> {
  const known = await runtime.listPodSandboxStats().catch(() => undefined);
  if (known !== undefined) return known;
  const [sandboxes, containers, stats] = await Promise.all([
    runtime.listPodSandbox(),
    runtime.listContainers(),
    runtime.listContainerStats(),
  ]);
  const sandboxOf = new Map(containers.map(({ id, sandboxId }) => [id, sandboxId]));
  return sandboxes.map(({ id, metadata }) => ({
    id,
    metadata,
    containers: stats.filter((one) => sandboxOf.get(one.id) === id),
  }));
}

function usageOfParts(
  { rates }: Pick<KubeletHost, "rates">,
  id: string,
  cpu: CpuUsage | undefined,
  memory: MemoryUsage | undefined,
): Usage {
  const cpuNanoSeconds = cpu?.usageCoreNanoSeconds ?? 0;
  const memoryBytes = memory?.workingSetBytes ?? 0;
  return {
    // Older runtimes tell the sum alone.
    cpuNanoCores: cpu?.usageNanoCores ?? rates?.rate(id, cpuNanoSeconds, cpu?.timestampMs ?? 0) ?? 0,
    cpuNanoSeconds,
    memoryBytes,
    memoryUsageBytes: memory?.usageBytes ?? memoryBytes,
    rssBytes: memory?.rssBytes ?? memoryBytes,
    pageFaults: memory?.pageFaults ?? 0,
    majorPageFaults: memory?.majorPageFaults ?? 0,
  };
}
