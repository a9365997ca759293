import type { Pod } from "#api/generated/core/v1.ts";
import type { Clock, Timer } from "#base/clock.ts";
import type { FolderWatcher } from "#base/folder-watcher.ts";
import { errnoOf, type HostFiles } from "#base/host-files.ts";
import type { Logger } from "#component-base/logging.ts";
import type { RunningSource, TakePods } from "./pod-source.ts";
import { staticPod } from "./static-pod.ts";

/** What a {@link FileSource} is made of. */
export interface FileSourceOptions {
  /** A folder of manifests, or one of them. */
  readonly path: string;
  readonly nodeName: string;
  /** How often it is looked at although nothing tells of a change, in milliseconds. */
  readonly periodMs: number;
  readonly decodeManifest: (text: string) => readonly Pod[];
  readonly files: Pick<HostFiles, "readFile" | "readdir" | "stat">;
  readonly watchFolder: FolderWatcher;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly take: TakePods;
}

/** Several changes within this time are looked at together, in milliseconds: an editor makes many of one. */
const SETTLE_MS = 50;
/** A larger file is no manifest, in bytes (upstream's `maxConfigLength`). */
const MANIFEST_BYTES_MAX: number = 10 * 1024 * 1024;

interface Manifest {
  readonly text: string;
  readonly pods: readonly Pod[];
}

/**
 * Static pods of manifest files (upstream's `sourceFile`): looked at when the kernel tells of a change, and from time to time.
 * A file that cannot be read or understood is reported; what it said before goes on until it is gone.
 */
export class FileSource implements RunningSource {
  readonly #options: FileSourceOptions;
  readonly #manifests = new Map<string, Manifest>();
  /** What was reported of files, so that it is once; by path. */
  readonly #reported = new Map<string, string>();
  readonly #timer: Timer;
  #unwatch: (() => void) | undefined;
  #settling: Timer | undefined;
  #looking: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  private constructor(options: FileSourceOptions) {
    this.#options = options;
    this.#timer = options.clock.setInterval(() => this.#look(), options.periodMs, { unref: true });
  }

  /** Resolves when it has been looked at for the first time. */
  static async start(options: FileSourceOptions): Promise<FileSource> {
    const source = new FileSource(options);
    source.#watch();
    await source.#look();
    return source;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer.clear();
    this.#settling?.clear();
    this.#unwatch?.();
  }

  #watch(): void {
    if (this.#unwatch !== undefined || this.#stopped) return;
    const { path, watchFolder, clock } = this.#options;
    const changed = (): void => {
      this.#settling?.clear();
      this.#settling = clock.setTimeout(() => void this.#look(), SETTLE_MS, { unref: true });
    };
    let failed = false;
    const unwatch = watchFolder(path, changed, () => {
      failed = true;
      this.#unwatch = undefined;
    });
    if (!failed) this.#unwatch = unwatch;
  }

  /** One look at a time; a change meanwhile makes it look again. */
  #look(): Promise<void> {
    if (this.#looking !== undefined) {
      this.#again = true;
      return this.#looking;
    }
    this.#looking = this.#lookUntilSettled().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookUntilSettled(): Promise<void> {
    do {
      this.#again = false;
      await this.#read();
    } while (this.#again && !this.#stopped);
  }

  async #read(): Promise<void> {
    const { path, take, logger } = this.#options;
    // It may have come to be only now, or anew.
    this.#watch();
    const paths = await this.#paths().catch((error: unknown) => {
      this.#report(path, error);
      return undefined;
    });
    if (paths === undefined) return;
    if (paths.length > 0) this.#reported.delete(path);
    for (const known of [...this.#manifests.keys()]) if (!paths.includes(known)) this.#manifests.delete(known);
    for (const one of paths) await this.#readFile(one);
    if (this.#stopped) return;
    logger.debug({ path, manifests: this.#manifests.size }, "manifests were read");
    take(paths.flatMap((one) => this.#manifests.get(one)?.pods ?? []));
  }

  /** None where there is nothing: that is how most machines are. */
  async #paths(): Promise<readonly string[]> {
    const { path, files } = this.#options;
    try {
      const found = await files.stat(path);
      if (!found.isDirectory()) return [path];
      const entries = await files.readdir(path);
      return entries
        .filter((name) => !name.startsWith("."))
        .sort()
        .map((name) => `${path.replace(/\/$/, "")}/${name}`);
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
      this.#unwatch?.();
      this.#unwatch = undefined;
      return [];
    }
  }

  async #readFile(path: string): Promise<void> {
    const { files, decodeManifest, nodeName } = this.#options;
    try {
      const found = await files.stat(path);
      if (found.isDirectory()) return;
      if (found.size > MANIFEST_BYTES_MAX) throw new Error(`it is larger than ${MANIFEST_BYTES_MAX} bytes`);
      const text = await files.readFile(path, "utf8");
      if (this.#manifests.get(path)?.text === text) return;
      const pods = decodeManifest(text).map((pod) => staticPod(pod, { nodeName, source: "file", origin: path }));
      this.#manifests.set(path, { text, pods });
      this.#reported.delete(path);
    } catch (error) {
      // Gone between two looks.
      if (errnoOf(error) === "ENOENT") this.#manifests.delete(path);
      else this.#report(path, error);
    }
  }

  #report(path: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (this.#reported.get(path) === message) return;
    this.#reported.set(path, message);
    this.#options.logger.error({ path, err: message }, "a manifest cannot be used: what it said before goes on");
  }
}
