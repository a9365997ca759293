import { cgroupfsPath, PODS_CGROUP, parseCgroupName, podUidOf, systemdPath } from "../cm/cgroup-names.ts";
import type { CgroupLayout } from "../cm/cgroup-tree.ts";
import { type DeviceCounters, deviceCounters } from "../stats/node-stats.ts";
import { type CgroupStats, cgroupStats } from "./cgroup-stats.ts";
import { type ProcessFiles, type ProcessStats, pidsOf, processStats } from "./process-stats.ts";

/** Levels of cgroups below that of all pods: classes, pods, containers. */
const DEPTH_MAX = 3;
/** The cgroup of a container, as runtimes call it by either driver. */
const CONTAINER = /(?:^|-)([0-9a-f]{64})(?:\.scope)?$/;

/** A cgroup of pods, by its path from the root. */
export interface CgroupFound {
  readonly path: string;
  /** Of the pod that it is of, or is in. */
  readonly podUid: string | undefined;
  /** Of the container or sandbox that it is of. */
  readonly containerId: string | undefined;
}

/** All that is told of a cgroup. */
export interface CgroupReading extends CgroupStats, ProcessStats {
  readonly interfaces: readonly DeviceCounters[];
}

/** The cgroups of pods on a machine, of both versions, to be looked at. */
export class CgroupReader {
  readonly #layout: CgroupLayout;
  readonly #files: ProcessFiles;
  readonly #root: readonly string[];

  /** `root` is what `--cgroup-root` says. */
  constructor(layout: CgroupLayout, files: ProcessFiles, root: string) {
    this.#layout = layout;
    this.#files = files;
    this.#root = [...parseCgroupName(root), PODS_CGROUP];
  }

  /** The cgroup of all pods, and those below it: of classes, pods and containers. None where the kubelet makes none. */
  async list(): Promise<readonly CgroupFound[]> {
    const found: CgroupFound[] = [];
    for (const path of [cgroupfsPath(this.#root), systemdPath(this.#root)]) {
      if ((await this.#files.list(this.#folder("memory", path))).length > 0) await this.#walk(path, undefined, 0, found);
      if (found.length > 0) break;
    }
    return found;
  }

  /** `withNetwork`: what its first process sees of networks too. `usageBytes`: of the root, whose memory v2 does not tell. */
  async read(path: string, withNetwork: boolean, usageBytes?: number): Promise<CgroupReading> {
    const read = (controller: string, file: string): Promise<string> =>
      this.#files.read(`${this.#folder(controller, path)}/${file}`);
    const [stats, procs] = await Promise.all([
      cgroupStats(this.#layout.version, read, usageBytes),
      read("memory", "cgroup.procs"),
    ]);
    const [first] = pidsOf(procs);
    const devices = withNetwork && first !== undefined ? await this.#files.read(`/proc/${first}/net/dev`) : "";
    return { ...stats, ...(await processStats(procs, this.#files)), interfaces: deviceCounters(devices) };
  }

  async #walk(path: string, podUid: string | undefined, depth: number, found: CgroupFound[]): Promise<void> {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const containerId = podUid === undefined ? undefined : CONTAINER.exec(name)?.[1];
    if (podUid !== undefined && containerId === undefined && podUid !== uidOf(name)) return;
    found.push({ path, podUid, containerId });
    if (containerId !== undefined || depth === DEPTH_MAX) return;
    const folder = this.#folder("memory", path);
    const below = await this.#files.list(folder);
    for (const child of below.filter(isCgroup)) {
      await this.#walk(`${path}/${child}`, podUid ?? uidOf(child), depth + 1, found);
    }
  }

  #folder(controller: string, path: string): string {
    const { version, hierarchies } = this.#layout;
    const tree = hierarchies.find(({ controllers }) => version === 2 || controllers.includes(controller));
    return `${tree?.mountpoint ?? "/nowhere"}${path === "/" ? "" : path}`;
  }
}

/** Files of cgroups have a point in their names; folders of systemd end in what they are. */
function isCgroup(name: string): boolean {
  return /\.(slice|scope)$/.test(name) || !(name.includes(".") || ["tasks", "notify_on_release", "release_agent"].includes(name));
}

function uidOf(name: string): string | undefined {
  return podUidOf(name.endsWith(".slice") ? (parseCgroupName(name).at(-1) ?? "") : name);
}
