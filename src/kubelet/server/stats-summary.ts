import { formatTime } from "#apimachinery/meta/time.ts";
import { NODE_CPUS, NODE_MEMORY_BYTES } from "../node-object.ts";
import { sendJson } from "./answer.ts";
import type { KubeletCall, KubeletRoute } from "./routes.ts";
import { sumOf, type Usage, usageOf } from "./usage.ts";
import { volumeSummary } from "./volume-metrics.ts";

const DISK_BYTES: number = 100 * 1024 * 1024 * 1024;

/** `/stats/summary`: what the node and its pods use, as metrics-server and dashboards read it. */
export const statsSummary: KubeletRoute = { path: "/stats/summary", methods: ["GET", "POST"], serve };

async function serve({ host, clock, query, response }: KubeletCall): Promise<void> {
  const nowMs = clock.now();
  const time = formatTime(nowMs);
  const onlyCpuAndMemory = query.get("only_cpu_and_memory") === "true";
  const basics = (usage: Usage, limitBytes?: number): object => ({
    cpu: { time, usageNanoCores: usage.cpuNanoCores, usageCoreNanoSeconds: usage.cpuNanoSeconds },
    memory: {
      time,
      ...(limitBytes === undefined ? {} : { availableBytes: limitBytes - usage.memoryBytes }),
      usageBytes: usage.memoryBytes,
      workingSetBytes: usage.memoryBytes,
      rssBytes: usage.memoryBytes,
      pageFaults: 0,
      majorPageFaults: 0,
    },
  });
  const disk = {
    time,
    availableBytes: DISK_BYTES,
    capacityBytes: DISK_BYTES,
    usedBytes: 0,
    inodesFree: 6_553_600,
    inodes: 6_553_600,
    inodesUsed: 0,
  };
  const network = { time, name: "eth0", rxBytes: 0, rxErrors: 0, txBytes: 0, txErrors: 0, interfaces: [] };
  const more = (fields: object): object => (onlyCpuAndMemory ? {} : fields);
  const pods = await usageOf(host);
  const volumes = new Map(
    onlyCpuAndMemory || host.volumeStats === undefined
      ? []
      : await Promise.all(
          host.pods().map(async (pod) => [pod.metadata.uid ?? "", (await host.volumeStats?.(pod)) ?? []] as const),
        ),
  );
  sendJson(response, {
    node: {
      nodeName: host.nodeName,
      startTime: formatTime(host.startedAtMs),
      ...basics(sumOf(pods), NODE_MEMORY_BYTES),
      ...more({
        network,
        fs: disk,
        runtime: { imageFs: disk, containerFs: disk },
        rlimit: { time, maxpid: 4_194_304, curproc: NODE_CPUS },
      }),
    },
    pods: pods.map((pod) => ({
      podRef: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
      startTime: formatTime(pod.startedAtMs),
      containers: pod.containers.map((container) => ({
        name: container.name,
        startTime: formatTime(container.startedAtMs),
        ...basics(container),
        ...more({ rootfs: disk, logs: disk }),
      })),
      ...basics(pod),
      ...more({
        network,
        volume: volumeSummary(volumes.get(pod.uid) ?? [], time),
        "ephemeral-storage": disk,
        process_stats: { process_count: pod.containers.length },
      }),
    })),
  });
}
