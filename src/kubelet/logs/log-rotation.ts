import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Clock } from "#base/clock.ts";
import { errnoOf, type HostFiles } from "#base/host-files.ts";
import type { Logger } from "#component-base/logging.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import { messageOf } from "../kuberuntime/message-of.ts";

/** What a {@link LogRotation} uses of its node. */
export interface LogRotationOptions {
  readonly runtime: Pick<RuntimeService, "containerStatuses" | "reopenContainerLog">;
  readonly files: Pick<HostFiles, "open" | "readdir" | "rename" | "stat" | "unlink">;
  /** From this size on a log is put aside, in bytes. */
  readonly maxBytes: number;
  /** Most files of one log, the one that is written included. At least 2. */
  readonly maxFiles: number;
  /** Logs that are put aside at the same time. */
  readonly workers: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

const GZ = ".gz";
const TEMPORARY = ".tmp";

/** Puts the logs of containers aside before they fill the disk (upstream's `containerLogManager`): the last as it is, those before packed. */
export class LogRotation {
  readonly #options: LogRotationOptions;
  #running: Promise<void> | undefined;

  constructor(options: LogRotationOptions) {
    this.#options = options;
  }

  /** Looks at all containers that run; what fails is logged, and tried the next time. */
  rotateAll(): Promise<void> {
    this.#running ??= this.#rotateAll().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #rotateAll(): Promise<void> {
    const { runtime, workers } = this.#options;
    const waiting = [...(await runtime.containerStatuses({ state: "CONTAINER_RUNNING" }))];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        if (next.logPath !== "") await this.#rotateIfLarge(next.id, next.logPath);
      }
    };
    await Promise.all(Array.from({ length: Math.max(1, workers) }, work));
  }

  async #rotateIfLarge(id: string, path: string): Promise<void> {
    const { logger, maxBytes } = this.#options;
    try {
      if ((await this.#size(id, path)) >= maxBytes) await this.#rotate(id, path);
    } catch (error) {
      logger.warn({ container: id, path, err: messageOf(error) }, "a log could not be put aside");
    }
  }

  /** A log that somebody has removed is begun anew. */
  async #size(id: string, path: string): Promise<number> {
    const { files, runtime } = this.#options;
    try {
      return (await files.stat(path)).size;
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
      await runtime.reopenContainerLog(id);
      return (await files.stat(path)).size;
    }
  }

  async #rotate(id: string, path: string): Promise<void> {
    const { files, runtime, clock, maxFiles } = this.#options;
    const slash = path.lastIndexOf("/");
    const [folder, name] = [path.slice(0, slash), path.slice(slash + 1)];
    const all = (await files.readdir(folder)).filter((one) => one.startsWith(`${name}.`)).sort();
    const { kept, removed } = planRotation(all, maxFiles);
    for (const one of removed) await files.unlink(`${folder}/${one}`);
    for (const one of kept) if (!one.endsWith(GZ)) await this.#pack(`${folder}/${one}`);
    const aside = `${path}.${stamp(clock.now())}`;
    await files.rename(path, aside);
    try {
      await runtime.reopenContainerLog(id);
    } catch (error) {
      // Otherwise what is written would never be found.
      await files.rename(aside, path);
      throw error;
    }
  }

  async #pack(path: string): Promise<void> {
    const { files } = this.#options;
    const temporary = `${path}${TEMPORARY}`;
    const source = await files.open(path, "r");
    try {
      const { mode } = await source.stat();
      const target = await files.open(temporary, "w", mode);
      await pipeline(source.createReadStream({ autoClose: false }), createGzip(), target.createWriteStream());
      await files.rename(temporary, `${path}${GZ}`);
    } finally {
      await source.close();
      await files.unlink(temporary).catch(() => undefined);
    }
    await files.unlink(path);
  }
}

/**
 * What becomes of the files that were put aside, oldest first: those that are left over from a failure go, and so many of the
 * oldest that with the log itself and the next one put aside there are no more than `maxFiles`.
 */
export function planRotation(
  names: readonly string[],
  maxFiles: number,
): { readonly kept: readonly string[]; readonly removed: readonly string[] } {
  const isLeft = (name: string): boolean => name.endsWith(TEMPORARY) || names.includes(`${name}${GZ}`);
  const inUse = names.filter((name) => !isLeft(name));
  const excess = Math.max(0, inUse.length - Math.max(0, maxFiles - 2));
  return { kept: inUse.slice(excess), removed: [...names.filter(isLeft), ...inUse.slice(0, excess)] };
}

/** `20060102-150405`, in universal time. */
function stamp(ms: number): string {
  const [date = "", time = ""] = new Date(ms).toISOString().split("T");
  return `${date.replaceAll("-", "")}-${time.slice(0, 8).replaceAll(":", "")}`;
}
