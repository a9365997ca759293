import type { Pod } from "#api/generated/core/v1.ts";
import { errnoOf, type HostFiles } from "#base/host-files.ts";

/** Where log collectors look for the logs of containers (upstream's `legacyContainerLogsDir`). */
const CONTAINER_LOGS_DIR = "/var/log/containers";
const FILE_NAME_LENGTH_MAX = 255;
const SUFFIX = ".log";

/** What {@link PodLogs} are made of. */
export interface PodLogsOptions {
  readonly files: Pick<HostFiles, "mkdir" | "readdir" | "readlink" | "rm" | "stat" | "symlink" | "unlink">;
  /** Where links to them are made; `/var/log/containers` when absent. */
  readonly containerLogsDir?: string;
}

/** The folders of pods' logs, and the links to the logs of containers by which collectors know them. */
export class PodLogs {
  readonly #options: PodLogsOptions;
  readonly #linksDir: string;

  constructor(options: PodLogsOptions) {
    this.#options = options;
    this.#linksDir = options.containerLogsDir ?? CONTAINER_LOGS_DIR;
  }

  /** Makes a pod's folder. */
  async make(path: string): Promise<void> {
    await this.#options.files.mkdir(path, { recursive: true, mode: 0o755 });
  }

  /** Removes a pod's folder, with the links into it. */
  async remove(path: string): Promise<void> {
    const { files } = this.#options;
    await files.rm(path, { recursive: true, force: true });
    const names = await files.readdir(this.#linksDir).catch(() => []);
    const prefix = linkPrefix(path);
    for (const name of names.filter((one) => one.startsWith(prefix))) {
      const target = await files.readlink(`${this.#linksDir}/${name}`).catch(() => "");
      if (target.startsWith(`${path}/`)) await files.unlink(`${this.#linksDir}/${name}`).catch(() => undefined);
    }
  }

  /** Removes the folder of a pod of which only its uid is known, among those of all pods, with the links into it. */
  async removeOf(podLogsDir: string, podUid: string): Promise<void> {
    const names = await this.#options.files.readdir(podLogsDir).catch(() => []);
    for (const name of names.filter((one) => one.endsWith(`_${podUid}`))) await this.remove(`${podLogsDir}/${name}`);
  }

  /** Removes links whose logs are gone. */
  async removeDangling(): Promise<void> {
    const { files } = this.#options;
    for (const name of await files.readdir(this.#linksDir).catch(() => [])) {
      const path = `${this.#linksDir}/${name}`;
      const target = await files.readlink(path).catch(() => undefined);
      if (target === undefined) continue;
      const isThere = await files.stat(path).then(
        () => true,
        () => false,
      );
      if (!isThere) await files.unlink(path).catch(() => undefined);
    }
  }

  /** Links to the log of a container; in place of what was linked to before under the same name. */
  async link({ metadata }: Pod, container: string, containerId: string, logPath: string): Promise<void> {
    const { files } = this.#options;
    await files.mkdir(this.#linksDir, { recursive: true, mode: 0o755 });
    const full = `${metadata.name ?? ""}_${metadata.namespace ?? ""}_${container}-${containerId}`;
    const path = `${this.#linksDir}/${full.slice(0, FILE_NAME_LENGTH_MAX - SUFFIX.length)}${SUFFIX}`;
    try {
      await files.symlink(logPath, path);
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
    }
  }
}

/** What the names of links to a pod's logs begin with; the folder is called `namespace_name_uid`. */
function linkPrefix(podLogsFolder: string): string {
  const [namespace = "", name = ""] = (podLogsFolder.split("/").at(-1) ?? "").split("_");
  return `${name}_${namespace}_`;
}
