import { setTimeout as pause } from "node:timers/promises";
import { parseGoDuration } from "#apimachinery/go-duration.ts";
import { parseQuantity, quantityValue } from "#apimachinery/resource/quantity.ts";
import { realClock } from "#base/clock.ts";
import { type HostFiles, realHostFiles } from "#base/host-files.ts";
import { realProcessRunner } from "#base/process-runner.ts";
import type { Logger } from "#component-base/logging.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import { CgroupError } from "#kubelet/cm/cgroup-driver.ts";
import { cgroupfsDriver, systemdDriver } from "#kubelet/cm/cgroup-drivers.ts";
import { parseCgroupName } from "#kubelet/cm/cgroup-names.ts";
import { type CgroupLayout, CgroupTree, cgroupLayout } from "#kubelet/cm/cgroup-tree.ts";
import type { ContainerManager } from "#kubelet/cm/container-manager.ts";
import type { ResourceSettings } from "#kubelet/cm/container-resources.ts";
import { CPU_PERIOD_US } from "#kubelet/cm/cpu-units.ts";
import { HostContainerManager, type ReservedCgroup } from "#kubelet/cm/host-container-manager.ts";
import { hugePageSizeName } from "#kubelet/cm/huge-pages.ts";
import type { AmountTexts, KubeletConfiguration } from "#kubelet/configuration/kubelet-configuration.ts";
import type { KubeletMetrics } from "#kubelet/metrics/kubelet-metrics.ts";
import { meteredCgroups } from "#kubelet/metrics/metered-cgroups.ts";
import { allocatableOf } from "#kubelet/nodestatus/capacity.ts";
import type { MachineInfo } from "#kubelet/nodestatus/machine.ts";
import { StartupError } from "../startup-error.ts";

/** How long is waited for the processes of a cgroup that is removed, in milliseconds. */
const REMOVE_PAUSE_MS = 50;
const PODS = "pods";

/** What the cgroups of a machine are made by. */
export interface CgroupsRequest {
  readonly configuration: KubeletConfiguration;
  readonly info: MachineInfo;
  readonly capacity: AmountTexts;
  readonly allocatable: AmountTexts;
  readonly runtime: Pick<RuntimeService, "cgroupDriver">;
  readonly metrics: KubeletMetrics;
  readonly logger: Logger;
}

/** The cgroups of this machine, as the configuration has them. Made when it is started. */
export async function hostCgroups(request: CgroupsRequest): Promise<ContainerManager> {
  const { configuration, info, capacity, allocatable, metrics, logger } = request;
  const layout = cgroupLayout(await read(realHostFiles, "/proc/mounts"));
  const { cgroupsPerQOS, cgroupRoot = "", enforceNodeAllocatable, podPidsLimit } = configuration;
  if (layout?.version === 1 && configuration.failCgroupV1) {
    throw new StartupError("kubelet is configured to not run on a host using cgroup v1: pass --fail-cgroupv1=false to run on it");
  }
  if (layout === undefined && cgroupsPerQOS) {
    const hint = 'mount them, or pass --cgroups-per-qos=false --enforce-node-allocatable=""';
    throw new StartupError(`no cgroups are mounted on this machine, in which pods get their limits: ${hint}`);
  }
  if (layout !== undefined) metrics.cgroupVersion(layout.version);
  const manager = new HostContainerManager({
    capacity,
    allocatable,
    enforced: allocatableOf(capacity, configuration, true),
    resources: await resourceSettings(request, layout),
    driver:
      layout === undefined || !cgroupsPerQOS ? undefined : meteredCgroups(await driverOf(request, layout), metrics, realClock),
    root: parseCgroupName(cgroupRoot),
    enforcesPods: enforceNodeAllocatable.includes(PODS),
    reserved: reservedOf(configuration),
    podPidsMax: podPidsLimit > 0 ? podPidsLimit : undefined,
    logger,
  });
  logger.debug({ version: layout?.version, hugePages: info.hugePages }, "cgroups are found");
  return {
    start: () => manager.start().catch(asStartupError),
    ensurePodCgroup: (pod) => manager.ensurePodCgroup(pod),
    removePodCgroup: (uid) => manager.removePodCgroup(uid),
    cleanUp: (known) => manager.cleanUp(known),
    containerResources: (pod, container) => manager.containerResources(pod, container),
    capacity: () => manager.capacity(),
    allocatable: () => manager.allocatable(),
  };
}

async function driverOf(
  { configuration, runtime }: CgroupsRequest,
  layout: CgroupLayout,
): Promise<ReturnType<typeof cgroupfsDriver>> {
  const tree = new CgroupTree(layout, realHostFiles, () => pause(REMOVE_PAUSE_MS));
  // Older runtimes do not tell.
  const told = await runtime.cgroupDriver().catch(() => undefined);
  const isSystemd = told === undefined ? configuration.cgroupDriver === "systemd" : told === "SYSTEMD";
  return isSystemd ? systemdDriver(tree, realProcessRunner) : cgroupfsDriver(tree);
}

async function resourceSettings(
  { configuration, info, allocatable }: CgroupsRequest,
  layout: CgroupLayout | undefined,
): Promise<ResourceSettings> {
  const { featureGates = {}, memorySwap, cpuCFSQuota, cpuCFSQuotaPeriod, memoryThrottlingFactor } = configuration;
  const version = layout?.version ?? 1;
  return {
    cgroupVersion: version,
    memoryCapacityBytes: info.memoryBytes,
    memoryAllocatableBytes: quantityValue(parseQuantity(allocatable.memory ?? info.memoryBytes)),
    swapCapacityBytes: info.swapBytes,
    countsSwap: layout !== undefined && (await countsSwap(layout)),
    swapBehavior: memorySwap.swapBehavior === "LimitedSwap" ? "LimitedSwap" : "NoSwap",
    cpuCfsQuota: cpuCFSQuota,
    cpuPeriodUs: parseGoDuration(cpuCFSQuotaPeriod) * 1000 || CPU_PERIOD_US,
    singleProcessOomKill: configuration.singleProcessOOMKill ?? version === 1,
    hugePageSizes: Object.keys(info.hugePages).map((kib) => hugePageSizeName(Number(kib) * 1024)),
    ...(featureGates.MemoryQoS === true
      ? {
          memoryQos: {
            throttlingFactor: memoryThrottlingFactor,
            reserves: configuration.memoryReservationPolicy === "TieredReservation",
          },
        }
      : {}),
  };
}

/** By the files of the kubelet's own cgroup: the root has none of v2. */
async function countsSwap({ version, hierarchies }: CgroupLayout): Promise<boolean> {
  const memory = hierarchies.find(({ controllers }) => version === 2 || controllers.includes("memory"))?.mountpoint ?? "";
  if (version === 1) return (await read(realHostFiles, `${memory}/memory.memsw.limit_in_bytes`)) !== "";
  const own = /^0::(.*)$/m.exec(await read(realHostFiles, "/proc/self/cgroup"))?.[1] ?? "/";
  return (await read(realHostFiles, `${memory}${own}/memory.swap.max`)) !== "";
}

function reservedOf(configuration: KubeletConfiguration): readonly ReservedCgroup[] {
  const { enforceNodeAllocatable, kubeReservedCgroup = "", systemReservedCgroup = "" } = configuration;
  const { kubeReserved = {}, systemReserved = {} } = configuration;
  return [
    ...(enforceNodeAllocatable.includes("kube-reserved")
      ? [{ name: parseCgroupName(kubeReservedCgroup), amounts: kubeReserved }]
      : []),
    ...(enforceNodeAllocatable.includes("system-reserved")
      ? [{ name: parseCgroupName(systemReservedCgroup), amounts: systemReserved }]
      : []),
  ];
}

function asStartupError(error: unknown): never {
  throw error instanceof CgroupError ? new StartupError(error.message) : error;
}

function read(files: Pick<HostFiles, "readFile">, path: string): Promise<string> {
  return files.readFile(path, "utf8").catch(() => "");
}
