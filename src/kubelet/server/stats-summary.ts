import { formatTime } from "#apimachinery/meta/time.ts";
import type { NetworkUsage } from "#cri/stats.ts";
import { NODE_CPUS, NODE_MEMORY_BYTES } from "../node-object.ts";
import type { DiskStats, NodeStats } from "../stats/node-stats.ts";
import { sendJson } from "./answer.ts";
import type { KubeletHost } from "./kubelet-host.ts";
import type { KubeletCall, KubeletRoute } from "./routes.ts";
import { type ContainerUsage, type PodUsage, sumOf, type Usage, usageOf } from "./usage.ts";
import { volumeSummary } from "./volume-metrics.ts";

const DISK_BYTES: number = 100 * 1024 * 1024 * 1024;
const INODES = 6_553_600;
/** The disk of a simulated node. */
const SIMULATED_DISK: DiskStats = {
  capacityBytes: DISK_BYTES,
  availableBytes: DISK_BYTES,
  freeBytes: DISK_BYTES,
  usedBytes: 0,
  inodes: INODES,
  inodesFree: INODES,
  inodesUsed: 0,
};
const NO_TRAFFIC = { rxBytes: 0, rxErrors: 0, txBytes: 0, txErrors: 0 };

/** `/stats/summary`: what the node and its pods use, as metrics-server and dashboards read it. */
export const statsSummary: KubeletRoute = { path: "/stats/summary", methods: ["GET", "POST"], serve };

/** What all parts of a summary are made with. */
interface Making {
  readonly host: KubeletHost;
  readonly time: string;
  readonly nowMs: number;
  readonly onlyCpuAndMemory: boolean;
  readonly stats: NodeStats | undefined;
}

async function serve({ host, clock, query, response }: KubeletCall): Promise<void> {
  const nowMs = clock.now();
  const onlyCpuAndMemory = query.get("only_cpu_and_memory") === "true";
  const [pods, stats] = await Promise.all([usageOf(host), host.nodeStats?.()]);
  const making: Making = { host, time: formatTime(nowMs), nowMs, onlyCpuAndMemory, stats };
  sendJson(response, {
    node: nodeSummary(making, pods),
    pods: await Promise.all(pods.map((pod) => podSummary(making, pod))),
  });
}

function nodeSummary({ host, time, nowMs, onlyCpuAndMemory, stats }: Making, pods: readonly PodUsage[]): object {
  const own = { nodeName: host.nodeName, startTime: formatTime(host.startedAtMs) };
  if (stats === undefined) return { ...own, ...simulatedNode(time, pods, onlyCpuAndMemory) };
  const { memory, swap, network, processes, disks, cpuNanoSeconds } = stats;
  const { capacityBytes, ...used } = memory;
  const cpuNanoCores = host.rates?.rate("node", cpuNanoSeconds, nowMs);
  return {
    ...own,
    cpu: {
      time,
      ...(cpuNanoCores === undefined ? {} : { usageNanoCores: cpuNanoCores }),
      usageCoreNanoSeconds: cpuNanoSeconds,
    },
    memory: { time, availableBytes: capacityBytes - used.workingSetBytes, ...used },
    ...(onlyCpuAndMemory
      ? {}
      : {
          network: nodeNetwork(time, network),
          fs: disk(time, disks.node),
          runtime: { imageFs: disk(time, disks.images), containerFs: disk(time, disks.containers) },
          rlimit: { time, maxpid: processes.max, curproc: processes.running },
          swap: { time, swapAvailableBytes: swap.availableBytes, swapUsageBytes: swap.usageBytes },
        }),
  };
}

function simulatedNode(time: string, pods: readonly PodUsage[], onlyCpuAndMemory: boolean): object {
  const own = disk(time, SIMULATED_DISK);
  return {
    ...basics(time, sumOf(pods), NODE_MEMORY_BYTES),
    ...(onlyCpuAndMemory
      ? {}
      : {
          network: { time, name: "eth0", ...NO_TRAFFIC, interfaces: [] },
          fs: own,
          runtime: { imageFs: own, containerFs: own },
          rlimit: { time, maxpid: 4_194_304, curproc: NODE_CPUS },
        }),
  };
}

async function podSummary({ host, time, onlyCpuAndMemory, stats }: Making, pod: PodUsage): Promise<object> {
  const { uid, name, namespace } = pod;
  const disks = stats?.disks ?? { node: SIMULATED_DISK, images: SIMULATED_DISK, containers: SIMULATED_DISK };
  const summary = { podRef: { name, namespace, uid }, startTime: formatTime(pod.startedAtMs), ...basics(time, pod) };
  if (onlyCpuAndMemory) {
    return { ...summary, containers: pod.containers.map((container) => containerBasics(time, container)) };
  }
  const logs = await Promise.all(pod.containers.map(({ logPath }) => host.logBytes?.(logPath) ?? 0));
  const containers = pod.containers.map((container, i) => ({
    ...containerBasics(time, container),
    rootfs: { ...disk(time, disks.containers), ...layerOf(container) },
    logs: { ...disk(time, disks.node), usedBytes: logs[i] ?? 0, inodesUsed: 1 },
    ...(container.swap === undefined ? {} : { swap: swapOf(time, container.swap) }),
  }));
  const found = host.pods().find(({ metadata }) => metadata.uid === uid);
  const volumes = found === undefined ? [] : ((await host.volumeStats?.(found)) ?? []);
  const written = pod.containers.reduce((sum, { writableLayer }) => sum + (writableLayer?.usedBytes ?? 0), 0);
  const usedBytes = written + logs.reduce((sum, one) => sum + one, 0);
  return {
    ...summary,
    containers,
    network: podNetwork(time, pod.network),
    volume: volumeSummary(volumes, time),
    "ephemeral-storage": { ...disk(time, disks.node), usedBytes },
    process_stats: { process_count: pod.processCount ?? pod.containers.length },
  };
}

function basics(time: string, usage: Usage, limitBytes?: number): object {
  const { memoryBytes, memoryUsageBytes, rssBytes, pageFaults, majorPageFaults } = usage;
  return {
    cpu: { time, usageNanoCores: usage.cpuNanoCores, usageCoreNanoSeconds: usage.cpuNanoSeconds },
    memory: {
      time,
      ...(limitBytes === undefined ? {} : { availableBytes: limitBytes - memoryBytes }),
      usageBytes: memoryUsageBytes,
      workingSetBytes: memoryBytes,
      rssBytes,
      pageFaults,
      majorPageFaults,
    },
  };
}

function containerBasics(time: string, container: ContainerUsage): object {
  const { memoryAvailableBytes: available, memoryBytes } = container;
  const limit = available === undefined || available === 0 ? undefined : available + memoryBytes;
  return { name: container.name, startTime: formatTime(container.startedAtMs), ...basics(time, container, limit) };
}

function disk(time: string, { availableBytes, capacityBytes, usedBytes, inodesFree, inodes, inodesUsed }: DiskStats): object {
  return { time, availableBytes, capacityBytes, usedBytes, inodesFree, inodes, inodesUsed };
}

function layerOf({ writableLayer }: ContainerUsage): object {
  return { usedBytes: writableLayer?.usedBytes ?? 0, inodesUsed: writableLayer?.inodesUsed ?? 0 };
}

function swapOf(time: string, { swapAvailableBytes, swapUsageBytes }: NonNullable<ContainerUsage["swap"]>): object {
  return { time, swapAvailableBytes, swapUsageBytes };
}

function nodeNetwork(time: string, { defaultName, interfaces }: NodeStats["network"]): object {
  const main = interfaces.find(({ name }) => name === defaultName);
  return { time, ...(main ?? {}), interfaces };
}

function podNetwork(time: string, network: NetworkUsage | undefined): object {
  if (network?.defaultInterface === undefined) return { time, name: "eth0", ...NO_TRAFFIC, interfaces: [] };
  const { defaultInterface, interfaces } = network;
  return { time, ...defaultInterface, interfaces: interfaces.length === 0 ? [defaultInterface] : interfaces };
}
