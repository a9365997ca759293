import type { HostFiles } from "#base/host-files.ts";
import type { ProcessRunner } from "#base/process-runner.ts";
import { formatDevice } from "./format-device.ts";
import { type MountPoint, parseMountInfo } from "./mount-info.ts";

/** What is to be mounted. */
export interface MountRequest {
  readonly source: string;
  readonly target: string;
  /** `tmpfs`, `nfs`; empty for bind mounts. */
  readonly type: string;
  readonly options: readonly string[];
  /** The source is taken as it is written: a path under `/proc/PID/fd` that leads to an open file. */
  readonly exactSource?: boolean;
}

/** Mounts and unmounts. */
export interface Mounter {
  /** Rejects with the words of upstream's `mount-utils`. */
  mount(request: MountRequest): Promise<void>;
  /** Mounts a device, on which a file system is made first if there is nothing. */
  mountDevice(request: MountRequest): Promise<void>;
  /** No error when nothing is mounted there. */
  unmount(target: string): Promise<void>;
  /** All that is mounted, in the order in which it was. */
  list(): Promise<readonly MountPoint[]>;
}

const MOUNT_INFO = "/proc/self/mountinfo";
/** What a bind mount takes over from its source at first, and is told the second time only. */
const BIND = "bind";

/** Mounts by the programs `mount` and `umount`, since they know the helpers of file systems, such as `mount.nfs`. */
export class CommandMounter implements Mounter {
  readonly #runner: ProcessRunner;
  readonly #files: Pick<HostFiles, "readFile">;

  constructor({ runner, files }: { readonly runner: ProcessRunner; readonly files: Pick<HostFiles, "readFile"> }) {
    this.#runner = runner;
    this.#files = files;
  }

  async mount({ source, target, type, options, exactSource = false }: MountRequest): Promise<void> {
    const flags = [...(exactSource ? ["--no-canonicalize"] : []), ...(type === "" ? [] : ["-t", type])];
    const others = options.filter((option) => option !== BIND);
    if (!options.includes(BIND))
      return this.#run([...flags, ...(others.length === 0 ? [] : ["-o", others.join(",")]), source, target]);
    await this.#run([...flags, "-o", BIND, source, target]);
    if (others.length > 0) await this.#run([...flags, "-o", [BIND, "remount", ...others].join(","), source, target]);
  }

  async mountDevice(request: MountRequest): Promise<void> {
    const { source: device, type, options } = request;
    await formatDevice(this.#runner, { device, type, readOnly: options.includes("ro") });
    await this.mount(request);
  }

  async unmount(target: string): Promise<void> {
    const { exitCode, stderr } = await this.#runner.run("umount", [target]);
    if (exitCode === 0 || /not mounted|no mount point/.test(stderr)) return;
    throw new Error(`unmount failed: exit status ${exitCode}\nUnmounting arguments: ${target}\nOutput: ${stderr}`);
  }

  async list(): Promise<readonly MountPoint[]> {
    return parseMountInfo(await this.#files.readFile(MOUNT_INFO, "utf8"));
  }

  async #run(args: readonly string[]): Promise<void> {
    const { exitCode, stdout, stderr } = await this.#runner.run("mount", args);
    if (exitCode === 0) return;
    throw new Error(
      `mount failed: exit status ${exitCode}\nMounting command: mount\nMounting arguments: ${args.join(" ")}\n` +
        `Output: ${stdout}${stderr}`,
    );
  }
}

/** Whether something is mounted at exactly this path. */
export async function isMountPoint(mounter: Pick<Mounter, "list">, path: string): Promise<boolean> {
  return (await mounter.list()).some((mount) => mount.path === path);
}
