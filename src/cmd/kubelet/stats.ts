import { readlink, stat } from "node:fs/promises";
import { cpus } from "node:os";
import { realClock } from "#base/clock.ts";
import { realHostFiles } from "#base/host-files.ts";
import type { ImageService } from "#cri/image-service.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import type { FilesystemUsage } from "#cri/stats.ts";
import { Cadvisor } from "#kubelet/cadvisor/cadvisor.ts";
import type { KubeletHost } from "#kubelet/server/kubelet-host.ts";
import { CpuRates } from "#kubelet/stats/cpu-rates.ts";
import { type DiskStats, kernelStats, type NodeStats } from "#kubelet/stats/node-stats.ts";
import { processMetrics } from "../process-metrics.ts";
import { cpuProfile, heapProfile } from "../profiles.ts";
import { hostMachine, machineFiles } from "./machine.ts";

/** What the machine uses and writes, for the kubelet's server. */
export function hostStats(
  rootDir: string,
  images: ImageService,
): Required<Pick<KubeletHost, "nodeStats" | "rates" | "logBytes" | "nodeLogFiles" | "processMetrics" | "profiles">> {
  return {
    nodeStats: () => nodeStats(rootDir, images),
    rates: new CpuRates(),
    logBytes: (path) =>
      stat(path).then(
        ({ size }) => size,
        () => 0,
      ),
    nodeLogFiles: realHostFiles,
    processMetrics,
    profiles: { cpu: cpuProfile, heap: heapProfile },
  };
}

/** What the kernel counts of this machine's cgroups, for the same. */
export async function hostCadvisor(
  cgroupRoot: string,
  runtime: Pick<RuntimeService, "status">,
): Promise<Required<Pick<KubeletHost, "cadvisor" | "sandboxImage" | "now">>> {
  const files = { ...machineFiles, link: (path: string) => readlink(path).catch(() => "") };
  const cadvisor = await Cadvisor.start({ files, machine: hostMachine, cgroupRoot });
  const sandboxImage = (): Promise<string | undefined> => sandboxImageOf(runtime).catch(() => undefined);
  return { cadvisor, sandboxImage, now: () => realClock.now() };
}

/** The image of the runtime's sandboxes, where it tells. */
export async function sandboxImageOf(runtime: Pick<RuntimeService, "status">): Promise<string | undefined> {
  const { info } = await runtime.status(true);
  return /"(?:sandboxImage|sandbox)"\s*:\s*"([^"]+)"/.exec(info.config ?? "")?.[1];
}

async function nodeStats(rootDir: string, images: ImageService): Promise<NodeStats> {
  const [kernel, node, fileSystems] = await Promise.all([
    kernelStats(machineFiles, cpus().length),
    diskOf(rootDir, undefined),
    images.imageFsInfo().catch(() => ({ image: [], container: [] })),
  ]);
  const [image] = fileSystems.image;
  const imageDisk = image === undefined ? node : await diskOf(image.mountpoint, image).catch(() => node);
  const container = fileSystems.container[0] ?? image;
  const containerDisk = container === undefined ? node : await diskOf(container.mountpoint, container).catch(() => node);
  return { ...kernel, disks: { node, images: imageDisk, containers: containerDisk } };
}

/** The disk below a path; what the runtime has taken of it where it says so, else all that is taken. */
async function diskOf(path: string, usage: FilesystemUsage | undefined): Promise<DiskStats> {
  const disk = await hostMachine.fileSystem(path);
  return {
    ...disk,
    usedBytes: usage?.usedBytes ?? disk.capacityBytes - disk.freeBytes,
    inodesUsed: usage?.inodesUsed ?? disk.inodes - disk.inodesFree,
  };
}
