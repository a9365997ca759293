import { type CgroupLayout, cgroupLayout } from "../cm/cgroup-tree.ts";
import type { Machine } from "../nodestatus/machine.ts";
import type { Metric } from "../server/metric.ts";
import { type CgroupFound, CgroupReader, type CgroupReading } from "./cgroup-reader.ts";
import type { DeviceStats } from "./cgroup-stats.ts";
import { machineMetrics } from "./machine-metrics.ts";
import type { ProcessFiles } from "./process-stats.ts";

/** What a {@link Cadvisor} looks at. */
export interface CadvisorOptions {
  readonly files: ProcessFiles;
  readonly machine: Pick<Machine, "info">;
  /** What `--cgroup-root` says. */
  readonly cgroupRoot: string;
}

/** Tells what the kernel counts of pods' cgroups, and what the machine is. */
export class Cadvisor {
  readonly #options: CadvisorOptions;
  readonly #reader: CgroupReader | undefined;

  private constructor(options: CadvisorOptions, layout: CgroupLayout | undefined) {
    this.#options = options;
    this.#reader = layout && new CgroupReader(layout, options.files, options.cgroupRoot);
  }

  /** Finds how the machine's cgroups are laid out. */
  static async start(options: CadvisorOptions): Promise<Cadvisor> {
    return new Cadvisor(options, cgroupLayout(await options.files.read("/proc/mounts")));
  }

  /** The cgroups of pods; none where the kubelet makes none. */
  async list(): Promise<readonly CgroupFound[]> {
    return (await this.#reader?.list()) ?? [];
  }

  /** Undefined where no cgroups are mounted. */
  async read(path: string, withNetwork: boolean, usageBytes?: number): Promise<CgroupReading | undefined> {
    return this.#reader?.read(path, withNetwork, usageBytes);
  }

  async machine(): Promise<readonly Metric[]> {
    const { machine, files } = this.#options;
    return machineMetrics(await machine.info(), await files.read("/proc/cpuinfo"));
  }

  /** How devices are called: `/dev/sda`. */
  async deviceNames(): Promise<(device: Pick<DeviceStats, "major" | "minor">) => string> {
    const text = await this.#options.files.read("/proc/partitions");
    const names = new Map(
      [...text.matchAll(/^\s*(\d+)\s+(\d+)\s+\d+\s+(\S+)$/gm)].map(([, major, minor, name]) => [
        `${major}:${minor}`,
        `/dev/${name}`,
      ]),
    );
    return ({ major, minor }) => names.get(`${major}:${minor}`) ?? "";
  }

  /** When the machine was started, in seconds since the epoch. */
  async bootSeconds(): Promise<number> {
    return Number(/^btime (\d+)$/m.exec(await this.#options.files.read("/proc/stat"))?.[1] ?? 0);
  }
}
