import { errnoOf, type HostFiles } from "#base/host-files.ts";
import { CgroupError } from "./cgroup-driver.ts";
import { type CgroupSettings, type CgroupWrite, writesV1, writesV2 } from "./cgroup-settings.ts";

/** What a {@link CgroupTree} uses of the machine. */
export type CgroupFiles = Pick<HostFiles, "mkdir" | "readdir" | "readFile" | "rmdir" | "stat" | "writeFile">;

/** One of the kernel's trees of cgroups. */
export interface Hierarchy {
  readonly mountpoint: string;
  /** What it is of; v2 has all in one. */
  readonly controllers: readonly string[];
}

/** How the machine's cgroups are laid out. */
export interface CgroupLayout {
  readonly version: 1 | 2;
  /** Of v1 one for each controller; beside them those without controllers, in which runtimes make cgroups too. */
  readonly hierarchies: readonly Hierarchy[];
}

/** A cgroup whose processes have just ended is busy for a moment: how often it is tried, and how long is waited between. */
const REMOVE_TRIES = 10;
/** Cgroups below each other that are looked through. */
const DEPTH_MAX = 32;

/** The layout by `/proc/mounts`; undefined where no cgroups are mounted. */
export function cgroupLayout(mounts: string): CgroupLayout | undefined {
  const lines = mounts.split("\n").map((line) => line.split(" "));
  const of = (type: string): readonly Hierarchy[] =>
    lines.flatMap(([, mountpoint = "", kind, options = ""]) =>
      kind === type ? [{ mountpoint, controllers: options.split(",") }] : [],
    );
  const [v1, v2] = [of("cgroup"), of("cgroup2")];
  const hasMemory = v1.some(({ controllers }) => controllers.includes("memory"));
  if (hasMemory) return { version: 1, hierarchies: [...v1, ...v2.map((one) => ({ ...one, controllers: [] }))] };
  const [unified] = v2;
  return unified === undefined ? undefined : { version: 2, hierarchies: [{ ...unified, controllers: [] }] };
}

/** Cgroups as folders of the kernel's file systems, of both versions. */
export class CgroupTree {
  readonly layout: CgroupLayout;
  readonly #files: CgroupFiles;
  readonly #pause: () => Promise<void>;

  /** `pause` is waited for before a cgroup that is busy is tried again. */
  constructor(layout: CgroupLayout, files: CgroupFiles, pause: () => Promise<void>) {
    this.layout = layout;
    this.#files = files;
    this.#pause = pause;
  }

  /** Makes the cgroup at a path where it is not there, and sets it. */
  async apply(path: string, settings: CgroupSettings): Promise<void> {
    try {
      if (this.layout.version === 2) await this.#applyV2(path, settings);
      else await this.#applyV1(path, settings);
    } catch (error) {
      throw cgroupError(path, error);
    }
  }

  /** Removes it in all trees, from below. */
  async remove(path: string): Promise<void> {
    const failures: unknown[] = [];
    for (const { mountpoint } of this.layout.hierarchies) {
      await this.#removeFolder(mountpoint + path, 0).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  async exists(path: string): Promise<boolean> {
    const wanted = this.layout.hierarchies.filter((one) => this.layout.version === 2 || isLimiting(one));
    const found = await Promise.all(wanted.map(({ mountpoint }) => this.#isFolder(mountpoint + path)));
    return found.length > 0 && found.every((one) => one);
  }

  /** Names of folders directly below a path, in any tree. */
  async children(path: string): Promise<readonly string[]> {
    const lists = await Promise.all(this.layout.hierarchies.map(({ mountpoint }) => this.#folders(mountpoint + path)));
    return [...new Set(lists.flat())];
  }

  async #applyV1(path: string, settings: CgroupSettings): Promise<void> {
    const writes = writesV1(settings);
    for (const { mountpoint, controllers } of this.layout.hierarchies) {
      if (controllers.length === 0) continue;
      await this.#files.mkdir(mountpoint + path, { recursive: true, mode: 0o755 });
      if (controllers.includes("cpuset")) await this.#inheritCpuset(mountpoint, path);
      await this.#writeAll(
        mountpoint + path,
        writes.filter(({ controller }) => controllers.includes(controller)),
      );
    }
  }

  /** Nothing can run in a cgroup of v1 to which no processors were given. */
  async #inheritCpuset(mountpoint: string, path: string): Promise<void> {
    const parts = path.split("/").filter((part) => part !== "");
    for (let depth = 1; depth <= parts.length; depth++) {
      const [parent, own] = [depth - 1, depth].map((count) => [mountpoint, ...parts.slice(0, count)].join("/"));
      for (const file of ["cpuset.cpus", "cpuset.mems"]) {
        const has = (await this.#files.readFile(`${own}/${file}`, "utf8")).trim();
        if (has === "") await this.#files.writeFile(`${own}/${file}`, await this.#files.readFile(`${parent}/${file}`, "utf8"));
      }
    }
  }

  async #applyV2(path: string, settings: CgroupSettings): Promise<void> {
    const mountpoint = this.layout.hierarchies[0]?.mountpoint ?? "";
    const parts = path.split("/").filter((part) => part !== "");
    // Controllers have to be handed down from the root, one level at a time.
    for (let depth = 0; depth < parts.length; depth++) {
      const parent = [mountpoint, ...parts.slice(0, depth)].join("/");
      await this.#handDown(parent);
      await this.#files.mkdir(`${parent}/${parts[depth]}`, { recursive: true, mode: 0o755 });
    }
    const has = await this.#controllers(mountpoint + path);
    await this.#writeAll(
      mountpoint + path,
      writesV2(settings).filter(({ controller }) => has.includes(controller)),
    );
  }

  async #handDown(path: string): Promise<void> {
    const [has, given] = await Promise.all([
      this.#controllers(path),
      this.#files.readFile(`${path}/cgroup.subtree_control`, "utf8").then(words),
    ]);
    const missing = has.filter((name) => KUBELET_CONTROLLERS.includes(name) && !given.includes(name));
    if (missing.length === 0) return;
    await this.#files.writeFile(`${path}/cgroup.subtree_control`, missing.map((name) => `+${name}`).join(" "));
  }

  async #controllers(path: string): Promise<readonly string[]> {
    return words(await this.#files.readFile(`${path}/cgroup.controllers`, "utf8"));
  }

  async #writeAll(folder: string, writes: readonly CgroupWrite[]): Promise<void> {
    for (const { file, text } of writes) await this.#files.writeFile(`${folder}/${file}`, text);
  }

  async #removeFolder(path: string, depth: number): Promise<void> {
    if (depth > DEPTH_MAX) throw new CgroupError(`cgroups below ${path} are too deep`);
    for (const name of await this.#folders(path)) await this.#removeFolder(`${path}/${name}`, depth + 1);
    for (let tried = 1; ; tried++) {
      try {
        return await this.#files.rmdir(path);
      } catch (error) {
        const errno = errnoOf(error);
        if (errno === "ENOENT") return;
        if (errno !== "EBUSY" || tried >= REMOVE_TRIES) throw error;
        await this.#pause();
      }
    }
  }

  async #folders(path: string): Promise<readonly string[]> {
    try {
      const entries = await this.#files.readdir(path, { withFileTypes: true });
      return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return [];
      throw error;
    }
  }

  async #isFolder(path: string): Promise<boolean> {
    return this.#files.stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
  }
}

/** What kubelets hand down. */
const KUBELET_CONTROLLERS: readonly string[] = ["cpu", "cpuset", "memory", "hugetlb", "pids", "io"];

function isLimiting({ controllers }: Hierarchy): boolean {
  return ["cpu", "memory", "pids"].some((name) => controllers.includes(name));
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

function cgroupError(path: string, error: unknown): Error {
  const errno = errnoOf(error);
  const said = error instanceof Error ? error.message : String(error);
  const isForbidden = errno === "EROFS" || errno === "EACCES" || errno === "EPERM";
  const hint = isForbidden
    ? ': run the kubelet as root with /sys/fs/cgroup writable, or with --cgroups-per-qos=false --enforce-node-allocatable=""'
    : "";
  return new CgroupError(`cgroup ${path} cannot be set: ${said}${hint}`, { cause: error });
}
